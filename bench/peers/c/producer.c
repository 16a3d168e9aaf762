// The traced program: makes events at a fixed rate and measures what each one costs it.
//   producer run RATE BURST SECONDS       fd 3: a program, run BURST times in a row by BPF_PROG_TEST_RUN
//   producer call RATE BURST SECONDS      BURST times getppid(2), to which somebody may have attached a program
// Between bursts it is busy, as a program that is worth watching is. Prints "ready" and begins at a line of input.
// A burst that took over a millisecond was held up by the machine, not by a consumer: counted, and not in the mean.
#define _GNU_SOURCE
#include "peer.h"
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 5) die("producer run|call RATE BURST SECONDS");
  int call = strcmp(argv[1], "call") == 0;
  int burst = atoi(argv[3]);
  double interval = 1e9 / atof(argv[2]) * burst;
  uint64_t length = (uint64_t)(atof(argv[4]) * 1e9);
  // It never sleeps, so it would have a processor to itself anyway; this one is kept free of consumers.
  cpu_set_t last;
  CPU_ZERO(&last);
  CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &last);
  sched_setaffinity(0, sizeof(last), &last);
  char line[8];
  printf("ready\n");
  fflush(stdout);
  if (read(0, line, sizeof(line)) < 0) die("no input: %s", strerror(errno));
  uint64_t start = now_ns(), events = 0, spent = 0, counted = 0, stalls = 0;
  double next = (double)start;
  for (uint64_t now = start; now - start < length;) {
    while ((double)(now = now_ns()) < next);
    uint64_t took;
    if (call) {
      for (int i = 0; i < burst; i++) syscall(SYS_getppid);
      took = now_ns() - now;
    } else {
      took = (uint64_t)run_program(3, burst) * (unsigned)burst;
    }
    events += (unsigned)burst;
    if (took < 1000000) {
      spent += took;
      counted += (unsigned)burst;
    } else {
      stalls++;
    }
    next += interval;
    // Not made up for when it was held up for long: the rate is the rate.
    if ((double)now > next + 20 * interval) next = (double)now;
  }
  double seconds = (double)(now_ns() - start) / 1e9;
  printf("{\"events\":%llu,\"ns\":%.2f,\"stalls\":%llu,\"rate\":%.0f}\n", (unsigned long long)events,
         (double)spent / (double)counted, (unsigned long long)stalls, (double)events / seconds);
}
