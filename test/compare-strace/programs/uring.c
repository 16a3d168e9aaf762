// One read through io_uring; ends with 0 also where the kernel refuses it.
#include <fcntl.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  struct io_uring_params p;
  memset(&p, 0, sizeof p);
  int ring = syscall(SYS_io_uring_setup, 4, &p);
  if (ring < 0) return 0;
  char *sq = mmap(0, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *sqes = mmap(0, p.sq_entries * sizeof *sqes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  char buffer[64];
  memset(sqes, 0, sizeof *sqes);
  sqes->opcode = IORING_OP_READ;
  sqes->fd = open("/etc/hostname", O_RDONLY);
  sqes->addr = (unsigned long)buffer;
  sqes->len = sizeof buffer;
  *(unsigned *)(sq + p.sq_off.array) = 0;
  *(unsigned *)(sq + p.sq_off.tail) += 1;
  __sync_synchronize();
  syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, 0, 0);
  close(ring);
  return 0;
}
