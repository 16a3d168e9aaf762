// Map operations through libbpf.
//   map OPERATION ENTRIES OPERATIONS      fd 3: the map. The best of 20 slices, in ns for one operation (one entry in
//                                         batches).
#include "peer.h"
#include <sys/mman.h>

enum { SLICES = 20, WARM_UP = 5, KEYS = 1024 };

struct key {
  uint32_t pid, cpu;
  uint64_t address;
};
struct value {
  uint64_t count, total;
  uint32_t last, flags;
};

static uint64_t sum;
static uint32_t entries;
static char *keys, *values;
static volatile uint64_t* memory;

static uint32_t key_at(uint32_t i) { return i & (KEYS - 1); }

static struct key struct_key_at(uint32_t i) {
  uint32_t n = key_at(i);
  return (struct key){.pid = n, .cpu = n & 7, .address = 0x7f0000000000u + n};
}

static void lookup_int(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t key = key_at(i);
    uint64_t value;
    if (bpf_map_lookup_elem(3, &key, &value) != 0) die("look-up: %s", strerror(errno));
    sum += value;
  }
}

static void update_int(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t key = key_at(i);
    uint64_t value = i;
    if (bpf_map_update_elem(3, &key, &value, BPF_ANY) != 0) die("update: %s", strerror(errno));
  }
}

static void lookup_struct(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    struct key key = struct_key_at(i);
    struct value value;
    if (bpf_map_lookup_elem(3, &key, &value) != 0) die("look-up: %s", strerror(errno));
    sum += value.count + value.last;
  }
}

static void update_struct(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    struct key key = struct_key_at(i);
    struct value value = {.count = i, .total = 2 * (uint64_t)i, .last = i, .flags = 1};
    if (bpf_map_update_elem(3, &key, &value, BPF_ANY) != 0) die("update: %s", strerror(errno));
  }
}

static int cpus;

static void lookup_percpu(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t key = key_at(i);
    uint64_t all[cpus];
    if (bpf_map_lookup_elem(3, &key, all) != 0) die("look-up: %s", strerror(errno));
    for (int cpu = 0; cpu < cpus; cpu++) sum += all[cpu];
  }
}

static void update_percpu(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) {
    uint32_t key = key_at(i);
    uint64_t all[cpus];
    for (int cpu = 0; cpu < cpus; cpu++) all[cpu] = i;
    if (bpf_map_update_elem(3, &key, all, BPF_ANY) != 0) die("update: %s", strerror(errno));
  }
}

/* Whole maps in batches of up to `entries`, every value looked at; as many times as make n entries. */
static void lookup_batch(uint32_t n, size_t key_size, size_t value_size) {
  LIBBPF_OPTS(bpf_map_batch_opts, opts);
  for (uint32_t done = 0; done < n;) {
    char place[64] = {0};
    uint32_t got = 0;
    for (int first = 1;; first = 0) {
      uint32_t count = entries;
      int error = bpf_map_lookup_batch(3, first ? NULL : place, place, keys, values, &count, &opts);
      if (error != 0 && errno != ENOENT) die("batch: %s", strerror(errno));
      for (uint32_t i = 0; i < count; i++) sum += *(uint64_t*)(values + i * value_size) + *(uint32_t*)(keys + i * key_size);
      got += count;
      if (error != 0) break;
    }
    if (got != entries) die("%u entries of %u came", got, entries);
    done += got;
  }
}

static void lookup_batch_int(uint32_t n) { lookup_batch(n, 4, 8); }
static void lookup_batch_struct(uint32_t n) { lookup_batch(n, sizeof(struct key), sizeof(struct value)); }

/* A whole map key by key, every value looked up. */
static void next_key_int(uint32_t n) {
  for (uint32_t done = 0; done < n;) {
    uint32_t key, next, got = 0;
    for (int error = bpf_map_get_next_key(3, NULL, &next); error == 0; error = bpf_map_get_next_key(3, &key, &next)) {
      uint64_t value;
      key = next;
      if (bpf_map_lookup_elem(3, &key, &value) != 0) die("look-up: %s", strerror(errno));
      sum += value + key;
      got++;
    }
    if (got != entries) die("%u entries of %u came", got, entries);
    done += got;
  }
}

static void update_batch_int(uint32_t n) {
  LIBBPF_OPTS(bpf_map_batch_opts, opts);
  for (uint32_t done = 0; done < n; done += entries) {
    for (uint32_t i = 0; i < entries; i++) {
      ((uint32_t*)keys)[i] = i;
      ((uint64_t*)values)[i] = i;
    }
    uint32_t count = entries;
    if (bpf_map_update_batch(3, keys, values, &count, &opts) != 0) die("batch: %s", strerror(errno));
  }
}

static void read_memory(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) sum += memory[i & (entries - 1)];
}

/* The same in an order that no cache foresees. */
static void read_memory_anywhere(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) sum += memory[(i * 2654435761u) & (entries - 1)];
}

static void write_memory(uint32_t n) {
  for (uint32_t i = 0; i < n; i++) memory[i & (entries - 1)] = i;
}

static const struct {
  const char* name;
  void (*run)(uint32_t n);
} operations[] = {
    {"lookup-int", lookup_int},
    {"update-int", update_int},
    {"lookup-struct", lookup_struct},
    {"update-struct", update_struct},
    {"lookup-percpu", lookup_percpu},
    {"update-percpu", update_percpu},
    {"lookup-batch-int", lookup_batch_int},
    {"lookup-batch-struct", lookup_batch_struct},
    {"entries-int", lookup_batch_int},
    {"entries-struct", lookup_batch_struct},
    {"next-key-int", next_key_int},
    {"update-batch-int", update_batch_int},
    {"read-memory", read_memory},
    {"read-memory-anywhere", read_memory_anywhere},
    {"write-memory", write_memory},
};

int main(int argc, char** argv) {
  if (argc != 4) die("map OPERATION ENTRIES OPERATIONS");
  void (*run)(uint32_t) = NULL;
  for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
    if (strcmp(operations[i].name, argv[1]) == 0) run = operations[i].run;
  if (run == NULL) die("there is no operation %s", argv[1]);
  entries = (uint32_t)atoi(argv[2]);
  uint32_t count = (uint32_t)atoi(argv[3]);
  cpus = libbpf_num_possible_cpus();
  keys = calloc(entries, sizeof(struct key));
  values = calloc(entries, sizeof(struct value));
  if (strstr(argv[1], "memory") != NULL) {
    memory = mmap(NULL, (size_t)entries * 8, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
    if (memory == MAP_FAILED) die("mmap: %s", strerror(errno));
  }
  double best = 1e18;
  for (int slice = -WARM_UP; slice < SLICES; slice++) {
    uint64_t start = now_ns();
    run(count);
    double ns = (double)(now_ns() - start) / count;
    if (slice >= 0 && ns < best) best = ns;
  }
  printf("{\"ns\":%.3f,\"sum\":%llu}\n", best, (unsigned long long)sum);
}
