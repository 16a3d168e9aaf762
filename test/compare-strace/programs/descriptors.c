// Descriptors on their ways: copied, marked, inherited, closed in ranges; pipes, socket pairs, memfd, files without names.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  char text[256];
  if (argc > 1) {
    // After the exec: some are left, others are not.
    for (int i = 3; i < 60; i++) fcntl(i, F_GETFD);
    return 0;
  }
  int fd = open("/etc/passwd", O_RDONLY);
  int copy = dup(fd);
  dup2(copy, 50);
  dup3(copy, 51, O_CLOEXEC);
  dup2(50, 50);
  int high = fcntl(fd, F_DUPFD, 100);
  int higher = fcntl(fd, F_DUPFD_CLOEXEC, 200);
  fcntl(high, F_GETFD);
  fcntl(high, F_SETFD, FD_CLOEXEC);
  fcntl(high, F_GETFD);
  fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND);
  read(high, text, 20);
  read(higher, text, 20);
  struct flock lock = {F_RDLCK, SEEK_SET, 0, 10};
  fcntl(fd, F_SETLK, &lock);
  fcntl(fd, F_GETLK, &lock);
  flock(fd, LOCK_SH | LOCK_NB);

  int fds[2], pair[2];
  pipe(fds);
  fcntl(fds[0], F_SETPIPE_SZ, 65536);
  fcntl(fds[0], F_GETPIPE_SZ);
  pipe2(fds, O_CLOEXEC | O_NONBLOCK);
  write(fds[1], "into the pipe", 13);
  read(fds[0], text, 100);
  read(fds[0], text, 100);
  socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
  write(pair[0], "across", 6);
  read(pair[1], text, 100);
  struct iovec out[] = {{"one ", 4}, {"two ", 4}, {"three", 5}}, in[] = {{text, 3}, {text + 3, 100}};
  writev(pair[1], out, 3);
  readv(pair[0], in, 2);
  shutdown(pair[0], SHUT_WR);

  int mem = memfd_create("a memory file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  ftruncate(mem, 4096);
  pwrite(mem, "at the offset", 13, 100);
  pread(mem, text, 13, 100);
  preadv2(mem, in, 2, 100, RWF_HIPRI);
  pwritev(mem, out, 3, 200);
  lseek(mem, 0, SEEK_END);
  lseek(mem, 10, SEEK_SET);
  lseek(mem, 0, SEEK_DATA);
  fcntl(mem, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
  fcntl(mem, F_GET_SEALS);
  fallocate(mem, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 100);
  int ev = eventfd(0, EFD_CLOEXEC);
  write(ev, &(unsigned long){5}, 8);
  int ep = epoll_create(3);
  sendfile(fds[1], fd, NULL, 10);
  splice(fds[0], NULL, pair[1], NULL, 10, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  tee(fds[0], fds[1], 10, SPLICE_F_NONBLOCK);
  copy_file_range(fd, NULL, mem, NULL, 10, 0);

  // Relative to folders, and to where the process stands.
  mkdir("inside", 0755);
  mkdir("inside/deeper", 0755);
  int folder = open("inside", O_RDONLY | O_DIRECTORY);
  int path = openat(folder, "deeper/new", O_RDWR | O_CREAT | O_TRUNC, 0600);
  write(path, "text", 4);
  chdir("inside/deeper");
  int near = open("new", O_RDONLY);
  int up = open("../deeper/./new", O_RDONLY);
  int only = open(".", O_PATH);
  fchdir(folder);
  int other = open("deeper/new", O_RDONLY);
  getcwd(text, sizeof text);
  int nameless = open("deeper", O_TMPFILE | O_RDWR, 0600);
  write(nameless, "lost", 4);
  int strange = open("deeper/a \x1b[31m name<>\xff", O_RDWR | O_CREAT, 0600);
  write(strange, "x", 1);
  int removed = open("deeper/gone", O_RDWR | O_CREAT, 0600);
  unlink("deeper/gone");
  write(removed, "x", 1);
  int renamed = open("deeper/before", O_RDWR | O_CREAT, 0600);
  rename("deeper/before", "deeper/after");
  write(renamed, "x", 1);
  int self = open("/proc/self/fd/3", O_RDONLY);
  read(self, text, 10);

  if (fork() == 0) {
    // A table of its own from here on.
    close(fd);
    fd = open("/etc/group", O_RDONLY);
    read(fd, text, 10);
    syscall(SYS_close_range, 60, 150, 0);
    syscall(SYS_close_range, 151, ~0U, CLOSE_RANGE_CLOEXEC);
    close(high);
    chdir("/");
    open("etc/hostname", O_RDONLY);
    execl("/proc/self/exe", "program", "again", NULL);
    _exit(1);
  }
  wait(NULL);
  read(fd, text, 10);
  if (syscall(SYS_clone, 0x400 | 17, 0, 0, 0, 0) == 0) {
    // The same table as its parent's.
    close(50);
    dup2(copy, 60);
    _exit(0);
  }
  syscall(SYS_wait4, -1, NULL, 0x40000000, NULL);
  read(60, text, 10);
  read(50, text, 10);
  return 0;
}
