// Fill and drain: libbpf's perf_buffer__consume over records of 104 bytes.
//   perf touch|copy|strings RECORDS CYCLES      fd 3: the perf event array, fd 4: the program that writes one record
#include "peer.h"
#include "works.h"

enum { PAGES = 512 };

static void sample(void* context, int cpu, void* data, uint32_t size) {
  (void)cpu;
  ((sample_fn)context)(NULL, data, size);
}

int main(int argc, char** argv) {
  struct works w = begin_works(argc, argv);
  struct perf_buffer* buffer = perf_buffer__new(3, PAGES, sample, NULL, (void*)w.visit, NULL);
  if (buffer == NULL) die("perf_buffer__new: %s", strerror(errno));
  for (int cycle = -WARM_UP; cycle < w.cycles; cycle++) {
    run_program(4, (int)w.records);
    count = 0;
    uint64_t start = now_ns();
    perf_buffer__consume(buffer);
    end_cycle(&w, cycle, now_ns() - start);
  }
  end_works(&w);
  perf_buffer__free(buffer);
}
