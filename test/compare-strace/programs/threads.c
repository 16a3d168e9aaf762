// Eight threads that wait for each other; they open, read and close files at the same time.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn = PTHREAD_COND_INITIALIZER;
static int next;

static void *work(void *arg) {
  long me = (long)arg;
  for (int i = 0; i < 20; i++) {
    char name[64], text[64];
    snprintf(name, sizeof name, "/proc/self/task/%ld/stat", syscall(SYS_gettid));
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    read(fd, text, sizeof text);
    close(fd);
    pthread_mutex_lock(&mutex);
    while (next % 8 != me) pthread_cond_wait(&turn, &mutex);
    next++;
    pthread_cond_broadcast(&turn);
    pthread_mutex_unlock(&mutex);
    nanosleep(&(struct timespec){0, 1000 * me}, NULL);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[8];
  for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, work, (void *)i);
  for (int i = 0; i < 8; i++) pthread_join(threads[i], NULL);
  return 0;
}
