// The traced workload: COUNT system calls of one kind, in a row, as fast as the kernel makes them. Writes the
// nanoseconds of one to FILE, so that its own output stays out of the tracer's.
//
//   calls getppid|read COUNT FILE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  int reads = strcmp(argv[1], "read") == 0;
  long count = atol(argv[2]);
  int zero = open("/dev/zero", O_RDONLY);
  char byte;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long i = 0; i < count; i++) {
    if (reads) {
      if (read(zero, &byte, 1) != 1) return 1;
    } else {
      syscall(SYS_getppid);
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  FILE *file = fopen(argv[3], "w");
  if (file == NULL) return 1;
  fprintf(file, "%.2f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (end.tv_nsec - begin.tv_nsec)) / count);
  return fclose(file) == 0 ? 0 : 1;
}
