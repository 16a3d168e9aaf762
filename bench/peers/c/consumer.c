// A consumer of a ring or perf buffer at work: what it costs and how late it is.
//   consumer poll|timer|perf|perf-timer SIZE COUNT TICK   a timer ticks every TICK ms; fd 3, …: COUNT rings, or a perf buffer of SIZE bytes for each CPU. SIGUSR2 begins the count, SIGTERM ends it and prints.
#include "peer.h"
#include <linux/perf_event.h>
#include <signal.h>
#include <sys/resource.h>

enum { SAMPLE = 8, MOST = 1 << 20 };

static volatile sig_atomic_t begun, ended;
static uint64_t events, sum;
static double* late;
static int samples;
static struct event last;

static void on_signal(int number) {
  if (number == SIGTERM) ended = 1;
  else begun = 1;
}

static int take(void* context, void* data, size_t size) {
  (void)context;
  (void)size;
  memcpy(&last, data, sizeof(last));
  sum ^= last.pid;
  if (++events % SAMPLE == 0 && samples < MOST) late[samples++] = (double)(now_ns() - last.ts) / 1000;
  return 0;
}

static void sample(void* context, int cpu, void* data, uint32_t size) {
  (void)cpu;
  take(context, data, size);
}

/* What perf_buffer__new asks for, but for the wake-ups: one for 1,000,000 records, so that the timer alone reads. */
static struct perf_event_attr rarely_waking = {
    .type = PERF_TYPE_SOFTWARE,
    .size = sizeof(struct perf_event_attr),
    .config = PERF_COUNT_SW_BPF_OUTPUT,
    .sample_period = 1,
    .sample_type = PERF_SAMPLE_RAW,
    .wakeup_events = 1000000,
};

static enum bpf_perf_event_ret raw(void* context, int cpu, struct perf_event_header* header) {
  (void)cpu;
  if (header->type == PERF_RECORD_SAMPLE) take(context, (char*)(header + 1) + 4, *(uint32_t*)(header + 1));
  return LIBBPF_PERF_EVENT_CONT;
}

static double cpu_us(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

int main(int argc, char** argv) {
  if (argc != 5) die("consumer poll|timer|perf|perf-timer SIZE COUNT TICK");
  int timer = strstr(argv[1], "timer") != NULL;
  long tick_ms = atol(argv[4]);
  late = calloc(MOST, sizeof(double));
  struct ring_buffer* ring = NULL;
  struct perf_buffer* buffer = NULL;
  if (strncmp(argv[1], "perf", 4) != 0) ring = ring_buffer__new(3, take, NULL, NULL);
  else if (timer) buffer = perf_buffer__new_raw(3, (size_t)atoi(argv[2]) / 4096, &rarely_waking, raw, NULL, NULL);
  else buffer = perf_buffer__new(3, (size_t)atoi(argv[2]) / 4096, sample, NULL, NULL, NULL);
  for (int i = 1; ring != NULL && i < atoi(argv[3]); i++)
    if (ring_buffer__add(ring, 3 + i, take, NULL) < 0) die("ring_buffer__add: %s", strerror(errno));
  if (ring == NULL && buffer == NULL) die("no reader: %s", strerror(errno));
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR2, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  printf("ready\n");
  fflush(stdout);
  double cpu = 0;
  while (!ended) {
    if (begun) {
      begun = 0;
      events = 0;
      samples = 0;
      cpu = cpu_us();
    }
    if (timer) {
      struct timespec tick = {.tv_nsec = tick_ms * 1000000};
      nanosleep(&tick, NULL);
      if (ring != NULL) ring_buffer__consume(ring);
      else perf_buffer__consume(buffer);
    } else if (ring != NULL) {
      ring_buffer__poll(ring, 100);
    } else {
      perf_buffer__poll(buffer, 100);
    }
  }
  if (ring != NULL) ring_buffer__consume(ring);
  else perf_buffer__consume(buffer);
  cpu = cpu_us() - cpu;
  double p50 = samples > 0 ? median(late, samples) : 0;
  double p99 = samples > 0 ? late[samples * 99 / 100] : 0;
  printf("{\"events\":%llu,\"cpu\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"sum\":%llu}\n", (unsigned long long)events,
         cpu / (double)events, p50, p99, (unsigned long long)sum);
  ring_buffer__free(ring);
  perf_buffer__free(buffer);
}
