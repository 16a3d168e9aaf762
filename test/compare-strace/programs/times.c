// Clocks, timers and limits.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

int main(void) {
  struct timespec ts, left;
  struct timeval tv;
  // Not through the vDSO.
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
  syscall(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &ts);
  syscall(SYS_clock_gettime, 99, &ts);
  syscall(SYS_clock_getres, CLOCK_REALTIME, &ts);
  syscall(SYS_gettimeofday, &tv, NULL);
  syscall(SYS_time, NULL);
  clockid_t clock;
  clock_getcpuclockid(getpid(), &clock);
  syscall(SYS_clock_gettime, clock, &ts);
  nanosleep(&(struct timespec){0, 1000}, &left);
  nanosleep(&(struct timespec){0, -1}, &left);
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &(struct timespec){1, 0}, NULL);
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_NONE};
  timer_create(CLOCK_MONOTONIC, &event, &timer);
  struct itimerspec its = {{1, 2}, {100, 3}}, old;
  timer_settime(timer, 0, &its, &old);
  timer_gettime(timer, &its);
  timer_getoverrun(timer);
  timer_delete(timer);
  struct itimerval itv = {{0, 0}, {100, 0}}, before;
  setitimer(ITIMER_VIRTUAL, &itv, &before);
  getitimer(ITIMER_VIRTUAL, &itv);
  alarm(100);
  alarm(0);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  setrlimit(RLIMIT_NOFILE, &limit);
  syscall(SYS_getrlimit, RLIMIT_STACK, &limit);
  syscall(SYS_setrlimit, RLIMIT_CORE, &(struct rlimit){0, RLIM_INFINITY});
  prlimit(getpid(), RLIMIT_CORE, NULL, &limit);
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  getrusage(RUSAGE_CHILDREN, &usage);
  struct tms tms;
  times(&tms);
  struct sysinfo info;
  sysinfo(&info);
  struct utsname name;
  uname(&name);
  getpriority(PRIO_PROCESS, 0);
  setpriority(PRIO_PROCESS, 0, 5);
  sched_yield();
  sched_getscheduler(0);
  struct sched_param param = {0};
  sched_setscheduler(0, SCHED_BATCH, &param);
  sched_getparam(0, &param);
  sched_get_priority_max(SCHED_FIFO);
  sched_rr_get_interval(0, &ts);
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  sched_setaffinity(0, sizeof set, &set);
  unsigned cpu, node;
  syscall(SYS_getcpu, &cpu, &node, NULL);
  struct timex tx = {0};
  adjtimex(&tx);
  syscall(SYS_ioprio_get, 1, 0);
  char bytes[16];
  syscall(SYS_getrandom, bytes, sizeof bytes, 1);
  return 0;
}
