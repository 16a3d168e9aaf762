// Processes made in every way, programs that cannot be executed, ends of every kind.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int thread(void *argument) {
  (void)argument;
  write(1, "", 0);
  return 0;
}

int main(void) {
  int status;
  execl("/nonexistent/program", "program", "with", "arguments", NULL);
  execl("/etc/hostname", "hostname", NULL);
  execl("/", "folder", NULL);
  pid_t pid = fork();
  if (pid == 0) {
    execlp("true", "true", "an argument", "ä", NULL);
    _exit(127);
  }
  waitpid(pid, &status, 0);
  pid = vfork();
  if (pid == 0) {
    execl("/bin/false", "false", NULL);
    _exit(127);
  }
  waitpid(pid, &status, 0);
  char *words[] = {"sh", "-c", "exit 3", NULL};
  posix_spawn(&pid, "/bin/sh", NULL, NULL, words, environ);
  waitpid(pid, &status, WUNTRACED);
  char *stack = malloc(65536);
  pid = clone(thread, stack + 65536, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
  waitpid(pid, &status, 0);
  pid = fork();
  if (pid == 0) {
    raise(SIGKILL);
  }
  waitid(P_PID, pid, NULL, WEXITED);
  pid = fork();
  if (pid == 0) {
    abort();
  }
  waitpid(pid, &status, 0);
  waitpid(-1, &status, WNOHANG);
  prctl(PR_SET_NAME, "renamed");
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  setpriority(PRIO_PROCESS, 0, 5);
  getpgid(0);
  setsid();
  return 0;
}
