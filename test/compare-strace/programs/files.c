// Everything about files by their names: status, links, times, owners, attributes, renames.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utime.h>

int main(void) {
  struct stat st;
  struct statx stx;
  struct statfs fs;
  char text[4096];
  close(open("one", O_CREAT | O_WRONLY | O_TRUNC, 0644));
  close(creat("two", 0600));
  stat("one", &st);
  syscall(SYS_stat, "one", &st);
  syscall(SYS_lstat, "one", &st);
  fstat(1, &st);
  stat("/dev/null", &st);
  stat("/", &st);
  statx(AT_FDCWD, "one", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &stx);
  statx(1, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_ALL, &stx);
  statx(AT_FDCWD, "/nonexistent", 0, STATX_TYPE, &stx);
  statfs("/", &fs);
  fstatfs(1, &fs);
  link("one", "one.hard");
  linkat(AT_FDCWD, "one", AT_FDCWD, "one.hard2", AT_SYMLINK_FOLLOW);
  symlink("one", "one.soft");
  symlinkat("one", AT_FDCWD, "one.soft2");
  readlink("one.soft", text, sizeof text);
  readlinkat(AT_FDCWD, "one.soft", text, 2);
  rename("two", "three");
  renameat(AT_FDCWD, "three", AT_FDCWD, "four");
  renameat2(AT_FDCWD, "four", AT_FDCWD, "one", RENAME_NOREPLACE);
  renameat2(AT_FDCWD, "four", AT_FDCWD, "one", RENAME_EXCHANGE);
  chmod("one", 0600);
  chmod("one", 04755);
  fchmodat(AT_FDCWD, "one", 0644, 0);
  chown("one", -1, 0);
  lchown("one.soft", 0, -1);
  fchownat(AT_FDCWD, "one", 0, 0, AT_SYMLINK_NOFOLLOW);
  umask(027);
  umask(022);
  mkdir("folder", 0750);
  mkdirat(AT_FDCWD, "folder/inside", 01777);
  mknod("fifo", S_IFIFO | 0640, 0);
  mknod("plain", S_IFREG | 0600, 0);
  mknod("device", S_IFCHR | 0600, makedev(1, 3));
  truncate("one", 100);
  utimensat(AT_FDCWD, "one", (struct timespec[]){{1700000000, 5}, {0, UTIME_NOW}}, 0);
  utimensat(AT_FDCWD, "one", (struct timespec[]){{0, UTIME_OMIT}, {1, 2}}, AT_SYMLINK_NOFOLLOW);
  utimensat(AT_FDCWD, "one", NULL, 0);
  utimes("one", (struct timeval[]){{1700000000, 5}, {1700000001, 6}});
  utime("one", NULL);
  futimesat(AT_FDCWD, "one", NULL);
  access("one", F_OK);
  faccessat(AT_FDCWD, "one", R_OK | X_OK, AT_EACCESS);
  syscall(439, AT_FDCWD, "one", W_OK, AT_SYMLINK_NOFOLLOW);
  setxattr("one", "user.note", "a value", 7, XATTR_CREATE);
  getxattr("one", "user.note", text, sizeof text);
  lgetxattr("one", "user.none", text, sizeof text);
  listxattr("one", text, sizeof text);
  removexattr("one", "user.note");
  int folder = open("folder", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  syscall(SYS_getdents64, folder, text, sizeof text);
  syscall(SYS_getdents64, folder, text, sizeof text);
  syscall(SYS_getdents, folder, text, sizeof text);
  fsync(folder);
  fdatasync(folder);
  syncfs(folder);
  posix_fadvise(folder, 0, 0, POSIX_FADV_SEQUENTIAL);
  struct {
    unsigned long flags, mode, resolve;
  } how = {O_RDWR | O_CREAT, 0640, 0x8};
  syscall(SYS_openat2, AT_FDCWD, "folder/how", &how, sizeof how);
  how.resolve = 0x10;
  how.mode = 0;
  how.flags = O_RDONLY | O_CLOEXEC;
  syscall(SYS_openat2, folder, "/how", &how, sizeof how);
  syscall(SYS_name_to_handle_at, AT_FDCWD, "one", text, text + 200, 0);
  unlinkat(AT_FDCWD, "folder", AT_REMOVEDIR);
  unlink("fifo");
  rmdir("folder/inside");
  sync();
  chroot("/");
  return 0;
}
