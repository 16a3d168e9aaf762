// Kinds of arguments that everyday programs seldom use: attributes, watches, locks, address families, IPC, timers, namespaces.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static char buffer[256];

static void files(void) {
  int fd = open("data", O_RDWR | O_CREAT | O_CLOEXEC, S_ISUID | 0600);
  int other = open("other", O_RDWR | O_CREAT | O_TRUNC | O_SYNC | O_NOATIME, 0);
  open(".", O_RDWR | O_TMPFILE, 0600);
  int path = open("data", O_PATH | O_NOFOLLOW);
  struct open_how how = {.flags = O_RDONLY | O_DIRECTORY, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  int dir = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
  how.flags = O_CREAT | O_RDWR;
  how.mode = 0640;
  syscall(SYS_openat2, dir, "new", &how, sizeof how);
  write(fd, "some text with \"quotes\", a \\ and \tmore\0zero\x7f\xc3\xa4", 46);
  write(fd, "12345\0" "7", 7);
  fallocate(fd, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 4096);
  posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  readahead(fd, 0, 4096);
  flock(fd, LOCK_EX | LOCK_NB);
  flock(fd, LOCK_UN);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 20};
  fcntl(fd, F_SETLK, &lock);
  fcntl(fd, F_GETLK, &lock);
  fcntl(fd, F_OFD_SETLK, &lock);
  fcntl(fd, F_GETFD);
  fcntl(fd, F_SETOWN, getpid());
  fcntl(fd, F_SETSIG, SIGIO);
  fcntl(fd, F_SETLEASE, F_UNLCK);
  fcntl(fd, F_NOTIFY, DN_CREATE);
  fcntl(fd, F_DUPFD, 100);
  fcntl(100, F_GETPIPE_SZ);
  loff_t from = 0, to = 0;
  copy_file_range(fd, &from, other, &to, 10, 0);
  off_t offset = 3;
  sendfile(other, fd, &offset, 10);
  struct iovec parts[3] = {{buffer, 4}, {buffer + 4, 0}, {buffer + 10, 20}};
  preadv2(fd, parts, 3, 0, RWF_HIPRI | RWF_NOWAIT);
  preadv(fd, parts, 2, 5);
  readv(fd, parts, 3);
  pwritev2(other, parts, 2, 7, RWF_DSYNC);
  int ends[2], more[2];
  pipe(ends);
  pipe2(more, O_CLOEXEC | O_DIRECT);
  vmsplice(ends[1], parts, 1, SPLICE_F_NONBLOCK | SPLICE_F_GIFT);
  tee(ends[0], more[1], 4, SPLICE_F_NONBLOCK);
  fcntl(ends[0], F_SETPIPE_SZ, 65536);
  ioctl(ends[0], FIONREAD, buffer);
  ioctl(0, TCGETS, buffer);
  ioctl(1, TIOCGWINSZ, buffer);
  fsetxattr(fd, "user.one", "a value\0", 8, XATTR_CREATE);
  setxattr("data", "user.two", "two", 3, XATTR_REPLACE);
  getxattr("data", "user.one", buffer, sizeof buffer);
  getxattr("data", "user.one", buffer, 0);
  listxattr("data", buffer, sizeof buffer);
  listxattr("data", buffer, 0);
  removexattr("data", "user.one");
  int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  int wd = inotify_add_watch(watch, "data", IN_MODIFY | IN_CLOSE_WRITE | IN_ONESHOT);
  inotify_rm_watch(watch, wd);
  struct statfs sfs;
  statfs(".", &sfs);
  fstatfs(fd, &sfs);
  mkfifo("fifo", 0644);
  mknod("null", S_IFCHR | 0600, makedev(1, 3));
  linkat(AT_FDCWD, "data", dir, "linked", AT_SYMLINK_FOLLOW);
  linkat(path, "", AT_FDCWD, "empty path", AT_EMPTY_PATH);
  symlinkat("nowhere at all", dir, "sym");
  readlinkat(dir, "sym", buffer, 5);
  struct timespec times[2] = {{1, 2}, {0, UTIME_OMIT}};
  utimensat(dir, "data", times, AT_SYMLINK_NOFOLLOW);
  futimens(fd, times);
  struct timeval tvs[2] = {{3, 4}, {5, 6}};
  utimes("data", tvs);
  struct stat st;
  fstatat(fd, "", &st, AT_EMPTY_PATH);
  lstat("sym", &st);
  fchownat(dir, "sym", 1, -1, AT_SYMLINK_NOFOLLOW);
  fchmodat(dir, "data", 01777, 0);
  syscall(SYS_faccessat2, dir, "data", R_OK, AT_EACCESS);
  renameat(dir, "new", dir, "newer");
  syscall(SYS_renameat2, dir, "newer", dir, "data", RENAME_EXCHANGE);
  mkdirat(dir, "sub", 0700);
  unlinkat(dir, "sub", AT_REMOVEDIR);
  char name[] = "madeXXXXXX";
  close(mkstemp(name));
  getcwd(buffer, sizeof buffer);
  getcwd(buffer, 2);
  chdir("/proc/self/fd");
  open("../status", O_RDONLY);
  fchdir(dir);
  syscall(SYS_close_range, 100, ~0U, CLOSE_RANGE_CLOEXEC);
  lseek(fd, 1L << 40, SEEK_SET);
  lseek(fd, 0, SEEK_DATA);
  unlink("data");
  fsync(fd);
  write(fd, "gone", 4);
  rename("other", "renamed");
  fsync(other);
}

static void memory(void) {
  char *map = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  mprotect(map, 4096, PROT_NONE);
  mprotect(map, 4096, PROT_READ | PROT_WRITE);
  map = mremap(map, 16384, 32768, MREMAP_MAYMOVE);
  mlock(map, 4096);
  mlock2(map, 4096, MLOCK_ONFAULT);
  munlock(map, 4096);
  msync(map, 4096, MS_SYNC | MS_INVALIDATE);
  mincore(map, 4096, (unsigned char *)buffer);
  madvise(map, 4096, MADV_FREE);
  mmap(map, 4096, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  mmap(NULL, 1 << 21, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB | (21 << 26), -1, 0);
  munmap(map, 32768);
  munmap((void *)1, 1);
  syscall(SYS_memfd_create, "sealed", MFD_CLOEXEC | MFD_ALLOW_SEALING | 8);
  int sealed = memfd_create("seal", MFD_ALLOW_SEALING);
  fcntl(sealed, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  fcntl(sealed, F_GET_SEALS);
  int key = shmget(IPC_PRIVATE, 4096, IPC_CREAT | 0600);
  void *at = shmat(key, NULL, SHM_RDONLY);
  shmdt(at);
  struct shmid_ds ds;
  shmctl(key, SHM_LOCK, NULL);
  shmctl(0, SHM_INFO, (struct shmid_ds *)buffer);
  shmctl(key, IPC_STAT, &ds);
  shmctl(key, IPC_RMID, NULL);
  int sem = semget(IPC_PRIVATE, 2, IPC_CREAT | IPC_EXCL | 0640);
  struct sembuf op = {0, 1, SEM_UNDO};
  semop(sem, &op, 1);
  semctl(sem, 0, SETVAL, 3);
  semctl(sem, 0, GETVAL);
  semctl(sem, 0, IPC_RMID);
  int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  struct { long type; char text[8]; } message = {1, "message"};
  msgsnd(queue, &message, 8, IPC_NOWAIT);
  msgrcv(queue, &message, 8, 0, MSG_NOERROR | IPC_NOWAIT);
  msgctl(0, MSG_INFO, (struct msqid_ds *)buffer);
  msgctl(queue, IPC_RMID, NULL);
}

static void network(void) {
  int udp = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
  struct sockaddr_in in = {AF_INET, htons(0), {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof in;
  bind(udp, (struct sockaddr *)&in, sizeof in);
  getsockname(udp, (struct sockaddr *)&in, &length);
  sendto(udp, "datagram", 8, MSG_DONTWAIT, (struct sockaddr *)&in, sizeof in);
  struct sockaddr_in from;
  length = sizeof from;
  recvfrom(udp, buffer, 20, MSG_PEEK, (struct sockaddr *)&from, &length);
  recvfrom(udp, buffer, 4, MSG_TRUNC, NULL, NULL);
  recv(udp, buffer, 4, 0);
  struct iovec parts[2] = {{"two ", 4}, {"parts", 5}};
  struct msghdr header = {.msg_name = &in, .msg_namelen = sizeof in, .msg_iov = parts, .msg_iovlen = 2};
  sendmsg(udp, &header, MSG_NOSIGNAL);
  struct mmsghdr many[2] = {{.msg_hdr = header}, {.msg_hdr = header}};
  sendmmsg(udp, many, 2, 0);
  struct iovec into = {buffer, 64};
  struct msghdr read = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &into, .msg_iovlen = 1};
  recvmsg(udp, &read, MSG_DONTWAIT);
  // More was sent than there is room for, and the result says how much.
  struct iovec little = {buffer, 3};
  struct msghdr truncated = {.msg_iov = &little, .msg_iovlen = 1};
  sendto(udp, "datagram", 8, 0, (struct sockaddr *)&in, sizeof in);
  recvmsg(udp, &truncated, MSG_TRUNC);
  struct timespec soon = {0, 1000};
  struct mmsghdr got = {.msg_hdr = read};
  recvmmsg(udp, &got, 1, MSG_WAITFORONE, &soon);
  int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(six, SOL_IPV6, IPV6_V6ONLY, &on, sizeof on);
  setsockopt(six, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(six, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(six, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  struct linger linger = {1, 2};
  setsockopt(six, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  struct timeval tv = {1, 0};
  setsockopt(six, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  setsockopt(six, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
  length = sizeof on;
  getsockopt(six, SOL_SOCKET, SO_ERROR, &on, &length);
  getsockopt(six, SOL_SOCKET, SO_SNDBUF, &on, &length);
  getsockopt(six, SOL_SOCKET, SO_TYPE, &on, &length);
  setsockopt(udp, IPPROTO_IP, IP_TTL, &on, sizeof on);
  struct sockaddr_in6 in6 = {AF_INET6, htons(9), 0, in6addr_loopback, 0};
  connect(six, (struct sockaddr *)&in6, sizeof in6);
  connect(udp, (struct sockaddr *)&(struct sockaddr){AF_UNSPEC}, sizeof(struct sockaddr));
  int link = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct sockaddr_nl nl = {AF_NETLINK};
  bind(link, (struct sockaddr *)&nl, sizeof nl);
  int pair[2], spare[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, spare);
  // A descriptor sent to itself.
  int file = open("/etc/hostname", O_RDONLY);
  union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control;
  struct iovec one = {"x", 1};
  struct msghdr pass = {.msg_iov = &one, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  struct cmsghdr *cmsg = CMSG_FIRSTHDR(&pass);
  cmsg->cmsg_level = SOL_SOCKET;
  cmsg->cmsg_type = SCM_RIGHTS;
  cmsg->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(cmsg), &file, sizeof file);
  sendmsg(pair[0], &pass, 0);
  close(file);
  char byte;
  struct iovec room = {&byte, 1};
  struct msghdr take = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  recvmsg(pair[1], &take, MSG_CMSG_CLOEXEC);
  int passed;
  memcpy(&passed, CMSG_DATA(CMSG_FIRSTHDR(&take)), sizeof passed);
  fsync(passed);
  close(passed);
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  in.sin_port = 0;
  bind(listener, (struct sockaddr *)&in, sizeof in);
  listen(listener, SOMAXCONN);
  length = sizeof in;
  getsockname(listener, (struct sockaddr *)&in, &length);
  int client = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
  connect(client, (struct sockaddr *)&in, sizeof in);
  length = sizeof from;
  int server = accept(listener, (struct sockaddr *)&from, &length);
  length = sizeof from;
  getpeername(server, (struct sockaddr *)&from, &length);
  send(client, "abc", 3, MSG_MORE);
  shutdown(client, SHUT_RDWR);
  recv(server, buffer, 10, MSG_WAITALL);
  struct sockaddr_un abstract = {AF_UNIX, "\0abstract name"};
  int unix_ = socket(AF_UNIX, SOCK_STREAM, 0);
  bind(unix_, (struct sockaddr *)&abstract, 2 + 14);
  connect(unix_, (struct sockaddr *)&abstract, 2 + 14);
  socket(AF_INET, 99, 0);
  socket(99, SOCK_STREAM, 0);
}

static void waiting(void) {
  int ends[2];
  pipe(ends);
  struct pollfd fds[3] = {{ends[0], POLLIN | POLLPRI, 0}, {ends[1], POLLOUT, 0}, {-1, 0, 0}};
  poll(fds, 3, -1);
  struct timespec ts = {0, 1000000};
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGRTMIN + 2);
  ppoll(fds, 1, &ts, &set);
  fd_set reads, writes;
  FD_ZERO(&reads);
  FD_ZERO(&writes);
  FD_SET(ends[0], &reads);
  FD_SET(ends[1], &writes);
  pselect(ends[1] + 1, &reads, &writes, NULL, &ts, &set);
  int epoll = epoll_create(1);
  struct epoll_event event = {EPOLLIN | EPOLLET | EPOLLRDHUP, {.u64 = 0x1122334455667788}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event);
  event.events = EPOLLOUT | EPOLLONESHOT;
  epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event);
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[1], &event);
  struct epoll_event events[4];
  epoll_pwait(epoll, events, 4, 1, &set);
  syscall(SYS_epoll_pwait2, epoll, events, 4, &ts, NULL, 8);
  epoll_ctl(epoll, EPOLL_CTL_DEL, ends[0], NULL);
  int timer = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC);
  struct itimerspec its = {{0, 0}, {1, 500}}, old;
  timerfd_settime(timer, TFD_TIMER_ABSTIME, &its, &old);
  timerfd_gettime(timer, &old);
  signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  timer_t posix;
  struct sigevent notify = {.sigev_notify = SIGEV_NONE};
  timer_create(CLOCK_MONOTONIC, &notify, &posix);
  timer_settime(posix, TIMER_ABSTIME, &its, NULL);
  timer_gettime(posix, &old);
  timer_getoverrun(posix);
  timer_delete(posix);
  syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &ts);
  syscall(SYS_clock_getres, CLOCK_TAI, &ts);
  clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &(struct timespec){1, 0}, NULL);
  alarm(10);
  alarm(0);
  struct itimerval itv;
  getitimer(ITIMER_PROF, &itv);
  uint32_t word = 1;
  ts = (struct timespec){0, 1000};
  syscall(SYS_futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 2, NULL);
  syscall(SYS_futex, &word, FUTEX_WAIT, 1, &ts);
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &ts, NULL, ~0U);
  syscall(SYS_futex, &word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX);
  syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1, &word, 1);
}

static void handler(int signal, siginfo_t *info, void *context) {}

static void processes(void) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | SA_ONSTACK};
  sigaddset(&action.sa_mask, SIGINT);
  sigaction(SIGUSR2, &action, NULL);
  signal(SIGHUP, SIG_IGN);
  signal(SIGHUP, SIG_DFL);
  sigset_t all, old;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &old);
  sigpending(&all);
  sigprocmask(SIG_SETMASK, &old, NULL);
  syscall(SYS_rt_sigprocmask, 42, NULL, NULL, 8);
  stack_t stack = {.ss_sp = malloc(16384), .ss_size = 16384};
  sigaltstack(&stack, NULL);
  syscall(SYS_tgkill, getpid(), getpid(), SIGUSR2);
  kill(getpid(), 0);
  kill(0x7ffffff0, SIGRTMIN + 3);
  union sigval value = {5};
  sigqueue(getpid(), SIGUSR2, value);
  int pidfd = syscall(SYS_pidfd_open, getpid(), 0);
  syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0);
  int stolen = syscall(SYS_pidfd_getfd, pidfd, 1, 0);
  close(stolen);
  struct iovec local = {buffer, 8}, remote = {buffer + 8, 8};
  process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  struct rlimit limit = {1024, RLIM_INFINITY};
  prlimit(0, RLIMIT_CORE, NULL, &limit);
  setrlimit(RLIMIT_CORE, &limit);
  struct rusage usage;
  getrusage(RUSAGE_CHILDREN, &usage);
  getpriority(PRIO_PROCESS, 0);
  getpriority(PRIO_PROCESS, 0x7ffffff0);
  cpu_set_t cpus;
  sched_getaffinity(0, sizeof cpus, &cpus);
  sched_setaffinity(0, sizeof cpus, &cpus);
  struct sched_param param = {0};
  sched_setscheduler(0, SCHED_BATCH | 0x40000000, &param);
  sched_getscheduler(0);
  sched_getparam(0, &param);
  sched_get_priority_max(SCHED_FIFO);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  prctl(PR_SET_PDEATHSIG, 0);
  prctl(PR_GET_NAME, buffer);
  prctl(PR_SET_NAME, "a rather long name");
  prctl(PR_SET_DUMPABLE, 1);
  prctl(PR_CAPBSET_READ, 21);
  personality(0xffffffff);
  uid_t r, e, s;
  getresuid(&r, &e, &s);
  setresuid(-1, -1, -1);
  gid_t groups[64];
  getgroups(64, groups);
  struct utsname name;
  uname(&name);
  struct sysinfo info;
  sysinfo(&info);
  struct tms tms;
  times(&tms);
  getrandom(buffer, 4, GRND_NONBLOCK);
  unshare(CLONE_NEWNS | CLONE_NEWUTS);
  sethostname("a host", 6);
  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  mkdir("mnt", 0755);
  mount("none", "mnt", "tmpfs", MS_NOSUID | MS_NODEV | MS_RELATIME, "size=64k,mode=700");
  umount2("mnt", MNT_DETACH);
  umount2("not there", MNT_FORCE | UMOUNT_NOFOLLOW);
  setns(-1, CLONE_NEWNET);
  pid_t pid = fork();
  if (pid == 0) {
    int exe = open("/bin/true", O_PATH | O_CLOEXEC);
    char *words[] = {"true", "", "q\"uo\\te", NULL};
    char *none[] = {NULL};
    execve("/bin/true/not", words, none);
    syscall(SYS_execveat, exe, "", words, none, AT_EMPTY_PATH);
    _exit(9);
  }
  struct rusage child;
  int status;
  wait4(pid, &status, __WALL, &child);
  wait4(-1, &status, WNOHANG | WCONTINUED, NULL);
  siginfo_t si;
  waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT);
  syscall(9999, 1, 2, 3);
  syscall(SYS_membarrier, 0, 0, 0);
  syscall(SYS_get_robust_list, 0, buffer, buffer + 8);
  syscall(SYS_kcmp, getpid(), getpid(), 0, 1, 2);
  syscall(SYS_add_key, "user", "a key", "payload", 7, -2);
  syscall(SYS_keyctl, 0, -2, 0);
  syscall(SYS_io_setup, 4, buffer + 128);
  syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
  syscall(SYS_seccomp, 2, 0, buffer);
}

int main(void) {
  memset(buffer, 0, sizeof buffer);
  files();
  memory();
  network();
  waiting();
  processes();
  return 0;
}
