// Fill and drain: libbpf's ring_buffer__consume over records of 104 bytes.
//   ring touch|copy|strings RECORDS CYCLES      fd 3: the ring buffer, fd 4: the program that writes one record
#include "peer.h"
#include "works.h"

int main(int argc, char** argv) {
  struct works w = begin_works(argc, argv);
  struct ring_buffer* ring = ring_buffer__new(3, w.visit, NULL, NULL);
  if (ring == NULL) die("ring_buffer__new: %s", strerror(errno));
  // What a run of another column left behind.
  ring_buffer__consume(ring);
  for (int cycle = -WARM_UP; cycle < w.cycles; cycle++) {
    run_program(4, (int)w.records);
    count = 0;
    uint64_t start = now_ns();
    ring_buffer__consume(ring);
    end_cycle(&w, cycle, now_ns() - start);
  }
  end_works(&w);
  ring_buffer__free(ring);
}
