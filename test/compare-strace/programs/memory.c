// Memory: mapped, protected, moved, locked, advised, shared.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void) {
  long page = 4096;
  char vector[16];
  char *a = mmap(NULL, 8 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *b = mmap(NULL, 4 * page, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  mmap(a, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap(a, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_GROWSDOWN, -1, 0);
  int fd = open("/bin/true", O_RDONLY);
  char *file = mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 2 * page);
  mprotect(a + page, page, PROT_READ | PROT_EXEC);
  mprotect(a + page, page, PROT_NONE);
  madvise(a + 2 * page, page, MADV_DONTNEED);
  madvise(a + 2 * page, page, MADV_HUGEPAGE);
  madvise(a + 2 * page, page, 12345);
  mincore(a, 2 * page, (unsigned char *)vector);
  mlock(a + 3 * page, page);
  mlock2(a + 3 * page, page, MLOCK_ONFAULT);
  munlock(a + 3 * page, page);
  mlockall(MCL_CURRENT);
  munlockall();
  msync(file, page, MS_SYNC);
  char *c = mremap(a + 4 * page, 2 * page, 16 * page, MREMAP_MAYMOVE);
  mremap(c, page, page, MREMAP_MAYMOVE | MREMAP_FIXED, b);
  munmap(c, 16 * page);
  munmap(a, 8 * page);
  brk(sbrk(0) + page);
  int key = pkey_alloc(0, 0);
  pkey_free(key);
  syscall(SYS_membarrier, 0, 0, 0);
  syscall(SYS_get_mempolicy, vector, NULL, 0, NULL, 0);

  int shm = shmget(IPC_PRIVATE, page, IPC_CREAT | 0600);
  char *shared = shmat(shm, NULL, SHM_RDONLY);
  shmdt(shared);
  shmctl(shm, IPC_RMID, NULL);
  int sem = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600);
  struct sembuf op = {0, 1, IPC_NOWAIT};
  semop(sem, &op, 1);
  semctl(sem, 0, IPC_RMID);
  int queue = msgget(IPC_PRIVATE, IPC_CREAT | 0600);
  struct {
    long type;
    char text[8];
  } message = {3, "message"};
  msgsnd(queue, &message, 8, IPC_NOWAIT);
  msgrcv(queue, &message, 8, 0, IPC_NOWAIT);
  msgctl(queue, IPC_RMID, NULL);
  return 0;
}
