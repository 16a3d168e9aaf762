// Ways to start programs: that fail, by descriptor, from a thread that is not the first, with vfork, with clone3.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void *from_thread(void *arg) {
  usleep(5000);
  execl("/bin/echo", "echo", "from a thread", NULL);
  return NULL;
}

int main(void) {
  char *argv[] = {"program", "an argument", "another \"quoted\"\n", NULL};
  execve("/nonexistent", argv, environ);
  execve("/etc", argv, environ);
  execve("/etc/passwd", argv, environ);
  close(open("noformat", O_CREAT | O_WRONLY, 0755));
  execve("noformat", argv, environ);
  execve("", argv, environ);
  execve((char *)16, argv, environ);
  execve("/bin/true", (char **)16, environ);
  execve("/bin/true", argv, (char **)16);

  int status;
  if (vfork() == 0) {
    execve("/bin/true", (char *[]){"true", NULL}, environ);
    _exit(127);
  }
  wait(&status);
  if (vfork() == 0) _exit(3);
  wait(&status);
  pid_t pid;
  posix_spawnp(&pid, "false", NULL, NULL, (char *[]){"false", NULL}, environ);
  waitpid(pid, &status, 0);
  system("exit 5");
  if (fork() == 0) {
    int fd = open("/bin/true", O_PATH | O_CLOEXEC);
    fexecve(fd, (char *[]){"true", "by", "descriptor", NULL}, environ);
    _exit(1);
  }
  wait(&status);
  if (fork() == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, from_thread, NULL);
    pause();
  }
  wait(&status);

  struct clone_args args;
  memset(&args, 0, sizeof args);
  args.exit_signal = SIGCHLD;
  int pidfd = -1;
  args.flags = CLONE_PIDFD;
  args.pidfd = (uintptr_t)&pidfd;
  pid = syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) _exit(4);
  siginfo_t info;
  waitid(P_PIDFD, pidfd, &info, WEXITED | WNOWAIT);
  waitid(P_PID, pid, &info, WEXITED);
  waitid(P_ALL, 0, &info, WEXITED | WNOHANG);
  int opened = syscall(SYS_pidfd_open, getpid(), 0);
  syscall(SYS_pidfd_send_signal, opened, 0, NULL, 0);
  // An orphan lives on.
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      usleep(20000);
      execl("/bin/echo", "echo", "an orphan", NULL);
    }
    _exit(0);
  }
  wait(&status);
  wait4(-1, &status, WNOHANG | WUNTRACED, NULL);
  return 0;
}
