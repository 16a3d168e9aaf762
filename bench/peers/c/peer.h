// What the C columns share.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The record every column reads (bench/ring/programs.js makes it). */
struct event {
  uint64_t ts;
  uint32_t pid, tid;
  int32_t ret;
  char comm[16];
  char filename[64];
};
_Static_assert(sizeof(struct event) == 104, "the record is 104 bytes");

static inline uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

__attribute__((noreturn, format(printf, 1, 2))) static inline void die(const char* format, ...) {
  __builtin_va_list args;
  __builtin_va_start(args, format);
  vfprintf(stderr, format, args);
  fprintf(stderr, "\n");
  exit(1);
}

static int compare_doubles(const void* a, const void* b) {
  double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

static inline double median(double* values, int n) {
  qsort(values, (size_t)n, sizeof(double), compare_doubles);
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Runs a program `repeat` times (BPF_PROG_TEST_RUN); the kernel's own mean of ns for one run. */
static inline uint32_t run_program(int program, int repeat) {
  static char packet[64];
  LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet), .repeat = repeat);
  int error = bpf_prog_test_run_opts(program, &opts);
  if (error < 0) die("BPF_PROG_TEST_RUN: %s", strerror(-error));
  return opts.duration;
}
