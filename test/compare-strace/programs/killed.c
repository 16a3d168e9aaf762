// Processes that end in the middle of calls: by signals of all kinds, by another thread's exit, by an alarm.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void *reads(void *arg) {
  char c;
  read(*(int *)arg, &c, 1);
  return NULL;
}

static void child(void (*what)(void)) {
  pid_t pid = fork();
  if (pid == 0) {
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    what();
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
}

static void in_pause(void) {
  if (fork() == 0) {
    usleep(20000);
    kill(getppid(), SIGKILL);
    _exit(0);
  }
  pause();
}
static void by_alarm(void) {
  alarm(1);
  pause();
}
static void by_abort(void) { abort(); }
static void by_fault(void) { *(volatile int *)0 = 0; }
static void by_pipe(void) {
  int fds[2];
  pipe(fds);
  close(fds[0]);
  write(fds[1], "x", 1);
}
static void other_thread_exits(void) {
  int fds[2];
  pipe(fds);
  pthread_t threads[3];
  for (int i = 0; i < 3; i++) pthread_create(&threads[i], NULL, reads, &fds[0]);
  usleep(20000);
  exit(9);
}
static void first_thread_ends(void) {
  int fds[2];
  pipe(fds);
  pthread_t thread;
  pthread_create(&thread, NULL, reads, &fds[0]);
  write(fds[1], "x", 1);
  pthread_exit(NULL);
}
static void stopped_and_continued(void) {
  pid_t parent = getpid();
  if (fork() == 0) {
    usleep(20000);
    kill(parent, SIGCONT);
    _exit(0);
  }
  raise(SIGSTOP);
}

int main(void) {
  child(in_pause);
  child(by_alarm);
  child(by_abort);
  child(by_fault);
  child(by_pipe);
  child(other_thread_exits);
  child(first_thread_ends);
  child(stopped_and_continued);
  kill(getpid(), SIGKILL);
  return 0;
}
