// An object of forty programs, as a tool of middling size is: fields of kernel structs, a hash, a ring, a global variable.
// Without the fields (NO_FIELDS) it needs no types of the kernel's, which old loaders cannot read of new kernels.
#include "../../test/fixtures/objects/skep.h"

struct task_struct {
  int pid;
  int tgid;
  int prio;
  char comm[16];
  struct task_struct* real_parent;
  struct mm_struct* mm;
} __core;

struct mm_struct {
  unsigned long total_vm;
} __core;

struct key {
  u32 pid;
  u32 program;
};

struct value {
  u64 count;
  u64 pages;
  u32 parent;
  s32 prio;
  char comm[16];
};

struct {
  __uint(type, HASH);
  __type(key, struct key);
  __type(value, struct value);
  __uint(max_entries, 1024);
} counts SEC(".maps");

struct {
  __uint(type, RINGBUF);
  __uint(max_entries, 65536);
} events SEC(".maps");

const volatile u32 wanted;
u64 total;

static long (*ring_output)(void* ring, void* data, u64 size, u64 flags) = (void*)130;

#ifdef NO_FIELDS
static long (*current_comm)(void* buffer, u32 size) = (void*)16;

static inline __attribute__((always_inline)) u32 own_tgid(void) { return current_pid_tgid() >> 32; }

static inline __attribute__((always_inline)) void describe(struct value* value) {
  value->parent = (u32)current_pid_tgid();
  current_comm(&value->comm, sizeof(value->comm));
}
#else
static inline __attribute__((always_inline)) u32 own_tgid(void) {
  struct task_struct* task = (void*)current_task();
  u32 tgid = 0;
  read_kernel(&tgid, sizeof(tgid), &task->tgid);
  return tgid;
}

static inline __attribute__((always_inline)) void describe(struct value* value) {
  struct task_struct* task = (void*)current_task();
  struct task_struct* parent = 0;
  struct mm_struct* mm = 0;
  read_kernel(&parent, sizeof(parent), &task->real_parent);
  read_kernel(&mm, sizeof(mm), &task->mm);
  if (parent) read_kernel(&value->parent, sizeof(value->parent), &parent->tgid);
  if (mm) read_kernel(&value->pages, sizeof(value->pages), &mm->total_vm);
  read_kernel(&value->prio, sizeof(value->prio), &task->prio);
  read_kernel(&value->comm, sizeof(value->comm), &task->comm);
}
#endif

static inline __attribute__((always_inline)) int look(u32 program) {
  u32 tgid = own_tgid();
  if (wanted != 0 && tgid != wanted) return 0;
  struct key key = {.pid = tgid, .program = program};
  struct value* known = map_lookup(&counts, &key);
  __sync_fetch_and_add(&total, 1);
  if (known) {
    __sync_fetch_and_add(&known->count, 1);
    return 0;
  }
  struct value value = {.count = 1};
  describe(&value);
  map_update(&counts, &key, &value, 0);
  ring_output(&events, &value, sizeof(value), 0);
  return 0;
}

#define PROGRAM(n) \
  SEC("raw_tp/sys_enter") int program_##n(void* context) { return look(n); }
#define TEN(n) \
  PROGRAM(n##0) PROGRAM(n##1) PROGRAM(n##2) PROGRAM(n##3) PROGRAM(n##4) PROGRAM(n##5) PROGRAM(n##6) PROGRAM(n##7) PROGRAM(n##8) PROGRAM(n##9)

TEN(1) TEN(2) TEN(3) TEN(4)
