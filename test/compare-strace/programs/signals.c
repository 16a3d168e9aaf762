// Signals that come in the middle of calls: with and without SA_RESTART, to sleeps, waits and reads, masked and pending.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int signal) {}
static void action(int signal, int flags) {
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = handler;
  sa.sa_flags = flags;
  sigaddset(&sa.sa_mask, SIGUSR2);
  sigaction(signal, &sa, NULL);
}
static void after(int microseconds) {
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, microseconds}}, NULL);
}
static void *tickle(void *arg) {
  usleep(10000);
  syscall(SYS_tgkill, getpid(), (long)arg, SIGUSR1);
  return NULL;
}

int main(void) {
  int fds[2];
  char c;
  pipe(fds);
  struct timespec left, sleep = {0, 30000000};

  action(SIGALRM, 0);
  after(5000);
  read(fds[0], &c, 1);
  after(5000);
  nanosleep(&sleep, &left);
  after(5000);
  clock_nanosleep(CLOCK_MONOTONIC, 0, &sleep, &left);
  after(5000);
  poll(&(struct pollfd){fds[0], POLLIN}, 1, 1000);
  after(5000);
  pause();

  // Made again by the kernel: the pipe is written to by a child meanwhile.
  action(SIGALRM, SA_RESTART);
  if (fork() == 0) {
    usleep(30000);
    write(fds[1], "x", 1);
    _exit(0);
  }
  after(5000);
  read(fds[0], &c, 1);
  after(5000);
  int status;
  wait4(-1, &status, 0, NULL);
  after(2000);
  poll(&(struct pollfd){fds[0], POLLIN}, 1, 20);

  // A signal that is ignored stops a sleep, which goes on with restart_syscall.
  signal(SIGALRM, SIG_IGN);
  if (fork() == 0) {
    usleep(5000);
    kill(getppid(), SIGSTOP);
    usleep(5000);
    kill(getppid(), SIGCONT);
    _exit(0);
  }
  nanosleep(&sleep, NULL);
  wait(NULL);

  sigset_t set, old;
  sigfillset(&set);
  sigprocmask(SIG_BLOCK, &set, &old);
  kill(getpid(), SIGUSR2);
  raise(SIGRTMIN + 3);
  sigpending(&set);
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigtimedwait(&set, &info, &(struct timespec){1, 0});
  signal(SIGRTMIN + 3, SIG_IGN);
  sigprocmask(SIG_SETMASK, &old, NULL);
  sigtimedwait(&set, &info, &(struct timespec){0, 1000000});

  action(SIGUSR1, SA_SIGINFO | SA_NODEFER);
  pthread_t thread;
  pthread_create(&thread, NULL, tickle, (void *)(long)syscall(SYS_gettid));
  usleep(40000);
  pthread_join(thread, NULL);
  stack_t stack = {malloc(SIGSTKSZ), 0, SIGSTKSZ};
  sigaltstack(&stack, NULL);
  sigaltstack(NULL, &stack);
  kill(1 << 30, 0);
  kill(getpid(), 99);
  sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 5});
  return 0;
}
