// Files and descriptors in many ways, those that fail among them.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

int main(void) {
  int fd = open("first", O_RDWR | O_CREAT | O_TRUNC, 0640);
  write(fd, "hello\n\x01\xff", 8);
  struct iovec parts[2] = {{"one", 3}, {"two", 3}};
  writev(fd, parts, 2);
  pwrite(fd, "!", 1, 100);
  lseek(fd, -3, SEEK_END);
  ftruncate(fd, 4096);
  fsync(fd);
  char buffer[64];
  pread(fd, buffer, sizeof buffer, 2);
  int copy = dup(fd);
  int third = fcntl(fd, F_DUPFD_CLOEXEC, 20);
  dup2(fd, 30);
  dup3(fd, 31, O_CLOEXEC);
  fcntl(copy, F_SETFD, FD_CLOEXEC);
  fcntl(copy, F_GETFL);
  fcntl(copy, F_SETFL, O_APPEND | O_NONBLOCK);
  close(third);
  fchmod(fd, 0600);
  mkdir("dir", 0755);
  int dir = open("dir", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int inside = openat(dir, "in side", O_WRONLY | O_CREAT | O_EXCL, 0644);
  openat(dir, "in side", O_WRONLY | O_CREAT | O_EXCL, 0644);
  fchdir(dir);
  chdir("..");
  symlink("first", "link");
  readlink("link", buffer, sizeof buffer);
  link("first", "second");
  rename("second", "third");
  syscall(SYS_renameat2, AT_FDCWD, "third", dir, "moved", RENAME_NOREPLACE);
  struct statx sx;
  statx(AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx);
  struct stat st;
  stat("nothing here", &st);
  fstatat(dir, "moved", &st, 0);
  access("first", R_OK | W_OK);
  faccessat(dir, "moved", X_OK, 0);
  utimensat(AT_FDCWD, "first", NULL, 0);
  truncate("first", 10);
  chmod("first", 0400);
  chown("first", -1, 0);
  unlinkat(dir, "moved", 0);
  unlinkat(dir, "in side", 0);
  rmdir("dir");
  unlink("link");
  unlink("first");
  unlink("first");
  int pair[2], ends[2];
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  send(pair[0], "ping", 4, MSG_NOSIGNAL);
  recv(pair[1], buffer, sizeof buffer, 0);
  pipe2(ends, O_NONBLOCK);
  read(ends[0], buffer, 1);
  write(ends[1], "x", 1);
  splice(ends[0], NULL, fd, NULL, 1, 0);
  int memory = memfd_create("a name", MFD_CLOEXEC);
  ftruncate(memory, 4096);
  void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
  madvise(map, 4096, MADV_DONTNEED);
  munmap(map, 4096);
  int event = eventfd(3, EFD_NONBLOCK);
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event e = {EPOLLIN, {.fd = event}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, event, &e);
  epoll_wait(epoll, &e, 1, 0);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  read(timer, buffer, 8);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  struct sockaddr_un un = {AF_UNIX, "sock et"};
  bind(listener, (struct sockaddr *)&un, sizeof un);
  listen(listener, 1);
  int client = socket(AF_UNIX, SOCK_STREAM, 0);
  connect(client, (struct sockaddr *)&un, sizeof un);
  int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  shutdown(client, SHUT_WR);
  read(server, buffer, 1);
  int on = 1;
  setsockopt(client, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  unlink("sock et");
  open("/proc/self/maps", O_RDONLY | O_NOFOLLOW);
  open("\xff\xfe bad \n name", O_RDONLY);
  open((char *)8, O_RDONLY);
  read(99, buffer, 1);
  syscall(SYS_close_range, 40, 50, 0);
  umask(022);
  umask(077);
  return 0;
}
