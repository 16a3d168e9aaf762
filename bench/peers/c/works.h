// What the C columns of fill and drain do with each record, and how they measure it.
enum { WARM_UP = 30 };

typedef int (*sample_fn)(void* context, void* data, size_t size);

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

struct works {
  sample_fn visit;
  unsigned records;
  int cycles;
  double* times;
};

static struct works begin_works(int argc, char** argv) {
  if (argc != 4) die("%s touch|copy|strings RECORDS CYCLES", argv[0]);
  struct works w = {
      .visit = strcmp(argv[1], "touch") == 0 ? touch : strcmp(argv[1], "copy") == 0 ? copy : strings,
      .records = (unsigned)atoi(argv[2]),
      .cycles = atoi(argv[3]),
  };
  copies = calloc(w.records, sizeof(*copies));
  kept = calloc(w.records, sizeof(*kept));
  w.times = calloc((size_t)w.cycles, sizeof(double));
  return w;
}

static void end_cycle(struct works* w, int cycle, uint64_t took) {
  if (count != w->records) die("%u records of %u came", count, w->records);
  if (cycle >= 0) w->times[cycle] = (double)took / w->records;
  if (w->visit == strings)
    for (unsigned i = 0; i < w->records; i++) {
      free(kept[i]->comm);
      free(kept[i]->filename);
      free(kept[i]);
    }
}

static void end_works(struct works* w) {
  double middle = median(w->times, w->cycles);
  printf("{\"ns\":%.3f,\"min\":%.3f,\"sum\":%llu}\n", middle, w->times[0], (unsigned long long)sum);
}
