// What the programs watch: waits for a line on its standard input, then does one kind of work and ends.
//
//   work blocks DEVICE | files FILE | futex | nodes | sleep | tcp | spawn | spin
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static void pause_for(long ns) {
  struct timespec time = {0, ns};
  nanosleep(&time, NULL);
}

/** Reads of 4 KiB and 64 KiB from a device, past the page cache: some behind each other, some not. */
static void blocks(const char* device) {
  int fd = open(device, O_RDONLY | O_DIRECT);
  if (fd < 0) fail(device);
  void* page;
  if (posix_memalign(&page, 4096, 65536) != 0) fail("memory");
  for (int i = 0; i < ROUNDS; i++)
    if (pread(fd, page, 4096, i * 4096L) != 4096) fail("read");
  for (int i = 0; i < ROUNDS; i++)
    if (pread(fd, page, i % 2 ? 65536 : 4096, (1 << 20) + (i * 7L % ROUNDS) * 131072) < 0) fail("read");
}

static void files(const char* path) {
  char text[512];
  memset(text, 'x', sizeof text);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) fail(path);
  for (int i = 0; i < ROUNDS; i++)
    if (write(fd, text, 100 + i) != 100 + i) fail("write");
  lseek(fd, 0, SEEK_SET);
  for (int i = 0; i < ROUNDS; i++)
    if (read(fd, text, 50) != 50) fail("read");
}

static int word;
static int rounds_waited;

static void* waiter(void* unused) {
  for (int i = 0; i < ROUNDS; i++) {
    while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == i) syscall(SYS_futex, &word, FUTEX_WAIT, i, NULL, NULL, 0);
    __atomic_add_fetch(&rounds_waited, 1, __ATOMIC_RELEASE);
  }
  return NULL;
}

/** One thread waits for a lock, the other lets it go some milliseconds later. */
static void locks(void) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, waiter, NULL) != 0) fail("thread");
  for (int i = 0; i < ROUNDS; i++) {
    pause_for(3000000);
    __atomic_store_n(&word, i + 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
  }
  pthread_join(thread, NULL);
}

/** Connections to a socket of its own, which are accepted at the end: its queue fills. */
static void connections(void) {
  int server = socket(AF_INET, SOCK_STREAM, 0), clients[ROUNDS];
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  if (bind(server, (void*)&address, length) != 0 || listen(server, 40) != 0) fail("listen");
  getsockname(server, (void*)&address, &length);
  for (int i = 0; i < ROUNDS; i++) {
    clients[i] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(clients[i], (void*)&address, sizeof address) != 0) fail("connect");
  }
}

static void spawn(void) {
  for (int i = 0; i < ROUNDS; i++) {
    pid_t child = fork();
    if (child == 0) {
      execl("/bin/sh", "sh", "-c", i % 2 ? "exit 3" : "exit 0", NULL);
      _exit(127);
    }
    waitpid(child, NULL, 0);
  }
}

static void spin(void) {
  struct timespec from, now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
  do clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  while ((now.tv_sec - from.tv_sec) * 1000000000L + now.tv_nsec - from.tv_nsec < 400000000L);
}

static double cpu_time(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

static void tune(const char* name, const char* value) {
  char path[128];
  snprintf(path, sizeof path, "/sys/kernel/debug/sched/numa_balancing/%s", name);
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) fail(path);
  close(fd);
}

/** Uses memory that lies on the second node, until the kernel has had time to move it to the first, where the CPU is. */
static void nodes(void) {
  enum { SIZE = 16 << 20 };
  tune("scan_delay_ms", "1");
  tune("scan_period_min_ms", "10");
  unsigned long second = 2;
  if (syscall(SYS_set_mempolicy, MPOL_BIND, &second, 8 * sizeof second) != 0) fail("set_mempolicy");
  volatile char* memory = aligned_alloc(4096, SIZE);
  for (long i = 0; i < SIZE; i += 4096) memory[i] = 1;
  if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0) != 0) fail("set_mempolicy");
  for (double end = cpu_time() + 3; cpu_time() < end;)
    for (long i = 0; i < SIZE; i += 4096) memory[i]++;
}

int main(int argc, char** argv) {
  char line;
  const char* kind = argc > 1 ? argv[1] : "";
  const char* what = argc > 2 ? argv[2] : "";
  if (read(0, &line, 1) != 1) return 1;
  if (strcmp(kind, "blocks") == 0) blocks(what);
  else if (strcmp(kind, "files") == 0) files(what);
  else if (strcmp(kind, "futex") == 0) locks();
  else if (strcmp(kind, "nodes") == 0) nodes();
  else if (strcmp(kind, "sleep") == 0) for (int i = 0; i < ROUNDS; i++) pause_for(2000000);
  else if (strcmp(kind, "tcp") == 0) connections();
  else if (strcmp(kind, "spawn") == 0) spawn();
  else if (strcmp(kind, "spin") == 0) spin();
  else return 2;
  return 0;
}
