// Calls that a seccomp filter answers in the kernel's place: refused, trapped, allowed.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHEN(nr, action) \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), BPF_STMT(BPF_RET | BPF_K, action)

static void handler(int signal) {}

int main(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      WHEN(SYS_mkdir, SECCOMP_RET_ERRNO | EPERM),
      WHEN(SYS_getppid, SECCOMP_RET_ERRNO | 0),
      WHEN(SYS_unlink, SECCOMP_RET_TRAP),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof code / sizeof *code, code};
  signal(SIGSYS, handler);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
  mkdir("forbidden", 0700);
  syscall(SYS_getppid);
  syscall(SYS_getpid);
  unlink("trapped");
  if (fork() == 0) {
    // The very first call of a new process.
    mkdir("forbidden, too", 0711);
    _exit(0);
  }
  wait(NULL);
  return 0;
}
