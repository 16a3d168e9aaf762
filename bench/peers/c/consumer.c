// A consumer of a ring buffer at work: what it costs and how late it is.
//   consumer poll|timer      fd 3: the ring buffer. SIGUSR2 begins the count, SIGTERM ends it and prints.
#include "peer.h"
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

static double cpu_us(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

int main(int argc, char** argv) {
  if (argc != 2) die("consumer poll|timer");
  int timer = strcmp(argv[1], "timer") == 0;
  late = calloc(MOST, sizeof(double));
  struct ring_buffer* ring = ring_buffer__new(3, take, NULL, NULL);
  if (ring == NULL) die("ring_buffer__new: %s", strerror(errno));
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
      struct timespec tick = {.tv_nsec = 1000000};
      nanosleep(&tick, NULL);
      ring_buffer__consume(ring);
    } else {
      ring_buffer__poll(ring, 100);
    }
  }
  ring_buffer__consume(ring);
  cpu = cpu_us() - cpu;
  double p50 = samples > 0 ? median(late, samples) : 0;
  double p99 = samples > 0 ? late[samples * 99 / 100] : 0;
  printf("{\"events\":%llu,\"cpu\":%.4f,\"p50\":%.1f,\"p99\":%.1f,\"sum\":%llu}\n", (unsigned long long)events,
         cpu / (double)events, p50, p99, (unsigned long long)sum);
  ring_buffer__free(ring);
}
