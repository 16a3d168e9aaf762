// Fill and drain: libbpf's ring_buffer__consume over records of 104 bytes.
//   ring touch|copy|strings RECORDS CYCLES      fd 3: the ring buffer, fd 4: the program that writes one record
#include "peer.h"

enum { WARM_UP = 30 };

static uint64_t sum;
static unsigned count;

static int touch(void* context, void* data, size_t size) {
  (void)context;
  (void)size;
  sum ^= ((const struct event*)data)->pid;
  count++;
  return 0;
}

static struct event* copies;

static int copy(void* context, void* data, size_t size) {
  (void)context;
  (void)size;
  struct event* to = &copies[count++];
  memcpy(to, data, sizeof(*to));
  sum ^= to->pid;
  return 0;
}

/* A record as a program keeps it: numbers, and strings of their own. */
struct kept {
  uint64_t ts;
  uint32_t pid, tid;
  int32_t ret;
  char *comm, *filename;
};
static struct kept** kept;

static int strings(void* context, void* data, size_t size) {
  (void)context;
  (void)size;
  const struct event* e = data;
  struct kept* k = malloc(sizeof(*k));
  if (k == NULL) die("no memory");
  k->ts = e->ts;
  k->pid = e->pid;
  k->tid = e->tid;
  k->ret = e->ret;
  k->comm = strndup(e->comm, sizeof(e->comm));
  k->filename = strndup(e->filename, sizeof(e->filename));
  kept[count++] = k;
  sum ^= k->pid;
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) die("ring touch|copy|strings RECORDS CYCLES");
  ring_buffer_sample_fn visit = strcmp(argv[1], "touch") == 0  ? touch
                                : strcmp(argv[1], "copy") == 0 ? copy
                                                               : strings;
  unsigned records = (unsigned)atoi(argv[2]);
  int cycles = atoi(argv[3]);
  copies = calloc(records, sizeof(*copies));
  kept = calloc(records, sizeof(*kept));
  double* times = calloc((size_t)cycles, sizeof(double));
  struct ring_buffer* ring = ring_buffer__new(3, visit, NULL, NULL);
  if (ring == NULL) die("ring_buffer__new: %s", strerror(errno));
  for (int cycle = -WARM_UP; cycle < cycles; cycle++) {
    run_program(4, (int)records);
    count = 0;
    uint64_t start = now_ns();
    ring_buffer__consume(ring);
    uint64_t end = now_ns();
    if (count != records) die("%u records of %u came", count, records);
    if (cycle >= 0) times[cycle] = (double)(end - start) / records;
    if (visit == strings)
      for (unsigned i = 0; i < records; i++) {
        free(kept[i]->comm);
        free(kept[i]->filename);
        free(kept[i]);
      }
  }
  double middle = median(times, cycles);
  printf("{\"ns\":%.3f,\"min\":%.3f,\"sum\":%llu}\n", middle, times[0], (unsigned long long)sum);
  ring_buffer__free(ring);
}
