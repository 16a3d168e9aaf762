// Waiting with time-outs, and calls that a signal interrupts, restarted or not.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int signal) { (void)signal; }

static void alarm_in(int us) {
  struct itimerval timer = {{0, 0}, {0, us}};
  setitimer(ITIMER_REAL, &timer, NULL);
}

int main(void) {
  int ends[2];
  char byte;
  pipe(ends);
  struct pollfd p = {ends[0], POLLIN, 0};
  poll(&p, 1, 5);
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  struct timeval tv = {0, 3000};
  select(ends[0] + 1, &set, NULL, NULL, &tv);
  int epoll = epoll_create1(0);
  struct epoll_event e = {EPOLLIN, {0}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &e);
  epoll_wait(epoll, &e, 1, 4);
  struct timespec ts = {0, 2000000};
  nanosleep(&ts, NULL);
  clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGALRM, &action, NULL);
  alarm_in(20000);
  read(ends[0], &byte, 1); // EINTR
  alarm_in(20000);
  struct timespec second = {1, 0};
  nanosleep(&second, &ts); // EINTR, with the rest
  alarm_in(20000);
  pause();
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  pid_t child = fork();
  if (child == 0) {
    usleep(60000);
    write(ends[1], "x", 1);
    _exit(0);
  }
  alarm_in(20000);
  read(ends[0], &byte, 1); // restarted, then 1
  int status;
  waitpid(child, &status, 0);
  sigset_t block;
  sigemptyset(&block);
  sigaddset(&block, SIGUSR1);
  sigprocmask(SIG_BLOCK, &block, NULL);
  kill(getpid(), SIGUSR1);
  struct timespec zero = {0, 0};
  sigtimedwait(&block, NULL, &zero);
  sigtimedwait(&block, NULL, &zero);
  return 0;
}
