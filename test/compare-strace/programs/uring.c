// A ring of io_uring: set up, a read and a no-op, torn down.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  struct io_uring_params p;
  memset(&p, 0, sizeof p);
  int ring = syscall(SYS_io_uring_setup, 4, &p);
  if (ring < 0) return 0;
  char *sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *sqes =
      mmap(NULL, p.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  char text[64];
  int fd = open("/etc/hostname", O_RDONLY);
  memset(sqes, 0, 2 * sizeof *sqes);
  sqes[0].opcode = IORING_OP_READ;
  sqes[0].fd = fd;
  sqes[0].addr = (uintptr_t)text;
  sqes[0].len = sizeof text;
  sqes[1].opcode = IORING_OP_NOP;
  uint32_t *array = (uint32_t *)(sq + p.sq_off.array);
  array[0] = 0;
  array[1] = 1;
  *(volatile uint32_t *)(sq + p.sq_off.tail) += 2;
  syscall(SYS_io_uring_enter, ring, 2, 2, IORING_ENTER_GETEVENTS, NULL, 0);
  int eventfd = syscall(SYS_eventfd2, 0, 0);
  syscall(SYS_io_uring_register, ring, IORING_REGISTER_EVENTFD, &eventfd, 1);
  syscall(SYS_io_uring_register, ring, IORING_UNREGISTER_EVENTFD, NULL, 0);
  syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0);
  close(ring);
  return 0;
}
