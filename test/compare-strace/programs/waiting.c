// poll, select and epoll: with time-outs, with events, with nothing to wait for.
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  int fds[2];
  pipe(fds);
  struct pollfd polled[] = {{fds[0], POLLIN}, {fds[1], POLLOUT | POLLRDHUP}, {-1, POLLIN}};
  poll(polled, 1, 5);
  poll(polled, 3, 100);
  poll(NULL, 0, 2);
  struct timespec short_time = {0, 3000000};
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGUSR1);
  ppoll(polled, 1, &short_time, &mask);

  fd_set readable, writable;
  FD_ZERO(&readable);
  FD_ZERO(&writable);
  FD_SET(fds[0], &readable);
  FD_SET(fds[1], &writable);
  select(fds[1] + 1, &readable, NULL, NULL, &(struct timeval){0, 4000});
  FD_SET(fds[0], &readable);
  select(fds[1] + 1, &readable, &writable, NULL, &(struct timeval){1, 0});
  FD_SET(fds[0], &readable);
  pselect(fds[1] + 1, &readable, &writable, NULL, &short_time, &mask);

  int ep = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {EPOLLIN | EPOLLET, {.u64 = 0x1122334455667788}};
  epoll_ctl(ep, EPOLL_CTL_ADD, fds[0], &event);
  event.events = EPOLLOUT | EPOLLONESHOT;
  event.data.fd = fds[1];
  epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &event);
  epoll_ctl(ep, EPOLL_CTL_ADD, fds[1], &event);
  struct epoll_event events[8];
  epoll_wait(ep, events, 8, 10);
  write(fds[1], "ready", 5);
  epoll_wait(ep, events, 8, 10);
  epoll_pwait(ep, events, 8, 0, &mask);
  syscall(SYS_epoll_pwait2, ep, events, 8, &short_time, NULL, 0);
  epoll_ctl(ep, EPOLL_CTL_MOD, fds[1], &event);
  epoll_ctl(ep, EPOLL_CTL_DEL, fds[0], NULL);

  int ev = eventfd(7, EFD_NONBLOCK | EFD_SEMAPHORE);
  unsigned long value;
  read(ev, &value, 8);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  struct itimerspec its = {{0, 0}, {0, 2000000}};
  timerfd_settime(timer, 0, &its, NULL);
  read(timer, &value, 8);
  timerfd_gettime(timer, &its);
  int sig = signalfd(-1, &mask, SFD_NONBLOCK);
  struct signalfd_siginfo info;
  read(sig, &info, sizeof info);
  int notify = inotify_init1(IN_NONBLOCK);
  int watch = inotify_add_watch(notify, "/tmp", IN_CREATE | IN_DELETE);
  inotify_rm_watch(notify, watch);
  inotify_add_watch(notify, "/nonexistent", IN_ALL_EVENTS);
  return 0;
}
