// A 32-bit program without a C library: other numbers, other registers.
static long call(long nr, long a, long b, long c, long d, long e) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return result;
}

void _start(void) {
  static char text[64];
  long fd = call(5, (long)"/etc/hostname", 0, 0, 0, 0);
  call(3, fd, (long)text, sizeof text, 0, 0);
  call(6, fd, 0, 0, 0, 0);
  call(5, (long)"/nonexistent", 0, 0, 0, 0);
  call(295, -100, (long)"/etc/passwd", 0x80000, 0, 0);
  call(20, 0, 0, 0, 0, 0);
  call(192, 0, 4096, 3, 0x22, -1);
  call(4, 1, (long)"from 32 bits\n", 13, 0, 0);
  if (call(2, 0, 0, 0, 0, 0) == 0) {
    char *argv[] = {"true", 0};
    call(11, (long)"/bin/true", (long)argv, 0, 0, 0);
    call(1, 1, 0, 0, 0, 0);
  }
  call(114, -1, 0, 0, 0, 0);
  call(252, 5, 0, 0, 0, 0);
}
