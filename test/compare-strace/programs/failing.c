// Calls that fail, and arguments that are no good: missing files, loops, long and garbage paths, bad memory, bad numbers.
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  struct stat st;
  symlink("loop", "loop");
  open("loop", O_RDONLY);
  open("loop/file", O_RDONLY);
  open("/etc/hostname/file", O_RDONLY);
  open("/nonexistent/file", O_WRONLY | O_CREAT | O_EXCL, 0640);
  open("", O_RDONLY);
  open("/etc", O_WRONLY);
  open("/etc/hostname", O_RDONLY | O_DIRECTORY);
  stat("/nonexistent", &st);
  lstat("loop", &st);
  access("/nonexistent", R_OK | W_OK);
  mkdir("/etc", 0755);
  rmdir("/etc");
  unlink("/nonexistent");
  rename("/nonexistent", "elsewhere");
  link("/nonexistent", "elsewhere");
  readlink("/etc/hostname", (char *)&st, 10);
  chdir("/nonexistent");
  truncate("/nonexistent", 5);
  char path[8192];
  memset(path, 'n', sizeof path);
  path[300] = 0;
  open(path, O_RDONLY);
  path[300] = 'n';
  path[5000] = 0;
  open(path, O_RDONLY);
  for (int i = 0; i < 4095; i++) path[i] = i % 200 ? 'd' : '/';
  path[4095] = 0;
  open(path, O_RDONLY);
  path[4094] = 0;
  stat(path, &st);
  open("garbage\x01\x02\x1b[31m\xff\xfe\x80\"\\\n\t\xc3\xa9\xe2\x82\xac<>", O_RDONLY);
  open((char *)8, O_RDONLY);
  open((char *)-1, O_RDONLY);
  open(NULL, O_RDONLY);
  stat("/etc/hostname", (struct stat *)8);
  read(-1, path, 10);
  read(99, path, 10);
  write(1, (void *)8, 10);
  write(-1, "text", 4);
  close(-1);
  close(77);
  dup(55);
  dup2(55, 3);
  lseek(0, -5, SEEK_SET);
  lseek(99, 0, SEEK_END);
  mmap(NULL, 0, PROT_READ, MAP_PRIVATE, -1, 0);
  mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0);
  munmap((void *)1, 4096);
  mprotect((void *)0x1000, 4096, PROT_READ);
  socket(999, SOCK_STREAM, 0);
  socket(AF_INET, 99, 0);
  connect(99, (struct sockaddr *)path, 16);
  bind(1, (struct sockaddr *)8, 16);
  ioctl(99, 0x5401, path);
  fcntl(99, F_GETFL);
  fcntl(1, 9999, 5);
  syscall(999);
  syscall(511, 1, 2, 3, 4, 5, 6);
  syscall(100000);
  syscall(-1);
  syscall(SYS_openat, 99, "relative", O_RDONLY);
  syscall(SYS_openat, 1, "relative", O_RDONLY);
  syscall(SYS_newfstatat, AT_FDCWD, "/etc/hostname", &st, 0x7fff);
  syscall(SYS_openat2, AT_FDCWD, "/etc/hostname", NULL, 24);
  return 0;
}
