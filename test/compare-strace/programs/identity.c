// Who a process is and what it may: ids, groups, capabilities, names, options.
#define _GNU_SOURCE
#include <grp.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  uid_t r, e, s;
  gid_t groups[64];
  getpid();
  getppid();
  syscall(SYS_gettid);
  getuid();
  getegid();
  getresuid(&r, &e, &s);
  getresgid(&r, &e, &s);
  getgroups(64, groups);
  getgroups(0, NULL);
  getpgid(0);
  getpgrp();
  getsid(0);
  setpgid(0, 0);
  setsid();
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  syscall(SYS_capget, &header, data);
  syscall(SYS_capset, &header, data);
  prctl(PR_SET_NAME, "a new name");
  char name[16];
  prctl(PR_GET_NAME, name);
  prctl(PR_SET_PDEATHSIG, 15);
  prctl(PR_SET_DUMPABLE, 1);
  prctl(PR_GET_DUMPABLE);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_CAPBSET_READ, 21);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_TIMERSLACK, 50000);
  prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, 0, 0, 0);
  prctl(12345, 1, 2, 3, 4);
  personality(0xffffffff);
  syscall(SYS_arch_prctl, 0x1003, &r);
  syscall(SYS_set_tid_address, &r);
  int word = 5;
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
  syscall(SYS_futex, &word, FUTEX_WAIT, 4, NULL);
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 5, &(struct timespec){0, 1000000});
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 5, &(struct timespec){1, 0}, NULL, ~0);
  syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, &r, 5);
  syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &r, 0x40000000);
  syscall(SYS_kcmp, getpid(), getpid(), 0, 1, 2);
  syscall(SYS_seccomp, 2, 0, &word);
  syscall(SYS_bpf, 99, NULL, 0);
  syscall(SYS_perf_event_open, NULL, 0, -1, -1, 8);
  syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
  syscall(SYS_keyctl, 0, -3, 0);
  syscall(SYS_quotactl, 0, NULL, 0, NULL);
  syscall(SYS_mount, "none", "/nonexistent", "tmpfs", 0x6, "size=1m");
  syscall(SYS_umount2, "/nonexistent", 2);
  syscall(SYS_setns, -1, CLONE_NEWNET);
  syscall(SYS_swapoff, "/nonexistent");
  syscall(SYS_acct, "/nonexistent");
  syscall(SYS_delete_module, "nonexistent", 0x800);
  unshare(CLONE_NEWUTS | CLONE_NEWIPC);
  sethostname("elsewhere", 9);
  if (fork() == 0) {
    setgroups(2, (gid_t[]){100, 101});
    setresgid(65534, 65534, 65534);
    setresuid(65534, -1, 65534);
    setuid(65534);
    setfsuid(65534);
    setreuid(-1, 0);
    ptrace(PTRACE_ATTACH, 1, 0, 0);
    _exit(0);
  }
  wait(NULL);
  return 0;
}
