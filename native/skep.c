// Skep's native part: all the C there is. It offers what JavaScript cannot do by itself and nothing more: raw system
// calls, also on a thread beside, memory mappings as ArrayBuffers, waiting on file descriptors in Node's own event loop,
// and starting a program with nothing between fork and exec.
//
// It is linked without libc, so one binary serves every Linux distribution and, being Node-API 9, every Node since 20.
// Consequences that shape the code:
//   - memory comes from mmap, cut into equal cells (see "Memory");
//   - there is no mutable static data: everything lives in one `State` per environment (main thread or worker), which
//     dies when its last user is gone;
//   - the few libuv functions used are declared here, because node-api-headers has no uv.h.
//
// Errors of the kernel are returned as negative numbers (-errno); mistakes of the caller are thrown as TypeErrors.

#define NAPI_VERSION 9
#include <node_api.h>

#define SKEP_NATIVE_VERSION "4"

// ---------------------------------------------------------------------------------------------------------------------
// System calls

#if defined(__x86_64__)
enum {
  NR_CLOSE = 3,
  NR_MMAP = 9,
  NR_MUNMAP = 11,
  NR_RT_SIGACTION = 13,
  NR_RT_SIGPROCMASK = 14,
  NR_EXECVE = 59,
  NR_WAIT4 = 61,
  NR_FCNTL = 72,
  NR_FUTEX = 202,
};

static inline long call6(long nr, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory", "cc");
  return result;
}

// Puts a value in another's place, seen by all threads in one order.
static inline uint64_t exchange(uint64_t* at, uint64_t value) {
  __asm__ volatile("xchgq %0, %1" : "+r"(value), "+m"(*at) : : "memory");
  return value;
}
#elif defined(__aarch64__)
enum {
  NR_FCNTL = 25,
  NR_CLOSE = 57,
  NR_FUTEX = 98,
  NR_RT_SIGACTION = 134,
  NR_RT_SIGPROCMASK = 135,
  NR_MUNMAP = 215,
  NR_EXECVE = 221,
  NR_MMAP = 222,
  NR_WAIT4 = 260,
};

static inline long call6(long nr, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = nr;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
}

// The same. Written out, because compilers make a call of libgcc's of an atomic exchange (-moutline-atomics), which is not there.
static inline uint64_t exchange(uint64_t* at, uint64_t value) {
  uint64_t before;
  uint32_t failed;
  __asm__ volatile(
      "1: ldaxr %0, [%2]\n"
      "   stlxr %w1, %3, [%2]\n"
      "   cbnz %w1, 1b\n"
      : "=&r"(before), "=&r"(failed)
      : "r"(at), "r"(value)
      : "memory");
  return before;
}
#else
#error "Skep's native part knows x86-64 and arm64 only"
#endif

enum {
  ENOMEM_ = 12,
  PROT_READ_WRITE = 3,
  MAP_PRIVATE_ANONYMOUS = 0x22,
  MAP_FIXED_OR_NOREPLACE = 0x100010,
  F_DUPFD_CLOEXEC_ = 1030,
};

static inline int failed(long result) { return result < 0 && result >= -4095; }

static long close_fd(int fd) { return call6(NR_CLOSE, fd, 0, 0, 0, 0, 0); }

static void* map_memory(size_t size) {
  long at = call6(NR_MMAP, 0, (long)size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  return failed(at) ? NULL : (void*)at;
}

static long unmap_memory(void* at, size_t size) { return call6(NR_MUNMAP, (long)at, (long)size, 0, 0, 0, 0); }

// The compiler may turn plain loops and initialisers into calls of these two, so they have to exist.
__attribute__((visibility("hidden"))) void* memset(void* to, int byte, size_t n);
__attribute__((visibility("hidden"))) void* memcpy(void* restrict to, const void* restrict from, size_t n);

void* memset(void* to, int byte, size_t n) {
  unsigned char* p = to;
  while (n-- > 0) *p++ = (unsigned char)byte;
  return to;
}

void* memcpy(void* restrict to, const void* restrict from, size_t n) {
  unsigned char* p = to;
  const unsigned char* q = from;
  while (n-- > 0) *p++ = *q++;
  return to;
}

// ---------------------------------------------------------------------------------------------------------------------
// libuv, as far as it is needed. A handle's size is asked for at run time, so its layout does not matter.

typedef struct uv_loop_s uv_loop_t;
typedef struct uv_handle_s uv_handle_t;
typedef void (*uv_poll_cb)(uv_handle_t* handle, int status, int events);
typedef void (*uv_close_cb)(uv_handle_t* handle);
enum { UV_POLL = 8, UV_READABLE = 1, UV_EVENTS_MASK = 15 };

extern size_t uv_handle_size(int type);
extern const char* uv_handle_type_name(int type);
extern int uv_poll_init(uv_loop_t* loop, uv_handle_t* handle, int fd);
extern int uv_poll_start(uv_handle_t* handle, int events, uv_poll_cb callback);
extern int uv_poll_stop(uv_handle_t* handle);
extern void uv_close(uv_handle_t* handle, uv_close_cb callback);
extern void uv_ref(uv_handle_t* handle);
extern void uv_unref(uv_handle_t* handle);
extern void uv_handle_set_data(uv_handle_t* handle, void* data);
extern void* uv_handle_get_data(const uv_handle_t* handle);

// ---------------------------------------------------------------------------------------------------------------------
// State: one per environment

enum { ARENA_SIZE = 1 << 20, SLAB_SIZE = 1 << 14, BUCKETS = 256, CELL_ALIGN = 64 };

typedef struct Cell {
  struct Cell* next;
} Cell;

// A pool hands out cells of one size.
typedef struct {
  size_t cell_size;
  Cell* free;
} Pool;

typedef struct Slab {
  struct Slab* next;
} Slab;

// What arenaSyscall() reads: the number and the arguments of the call.
typedef struct {
  uint64_t nr;
  uint64_t args[6];
} CallBlock;

typedef struct State State;

// One mapping made by mmap(). Lives until the finalizer of its ArrayBuffer's memory ran; `at` is NULL once unmapped.
typedef struct Mapping {
  struct Mapping* next;  // in its bucket
  State* state;
  void* at;
  size_t size;
} Mapping;

// One poll handle. Shared by the JavaScript object (until it is collected) and libuv (until its close callback).
typedef struct Waiter {
  struct Waiter* next;
  struct Waiter** link;  // what points here; NULL once closed
  State* state;
  napi_ref self;  // the JavaScript object: strong while started, so that it and its callback stay alive
  int refs;
  int fd;  // our own duplicate
  int started;
  int pinned;  // `self` is strong
} Waiter;

struct State {
  Slab* slabs;
  napi_env env;
  napi_async_cleanup_hook_handle cleanup;
  int refs;  // environment, arena buffer, mappings, waiters
  int ending;
  int constructing;
  int open_handles;  // libuv handles whose close callback has not run
  CallBlock* arena;
  napi_ref arena_object;
  napi_ref poll_class;
  Pool mappings;
  Pool waiters;
  Waiter* first_waiter;
  char* thread_stack;  // of the thread that makes calls beside; NULL when there is none
  int thread_alive;    // cleared by the kernel when the thread has ended
  napi_ref thread_memory;  // keeps what the thread reads and writes
  Mapping* buckets[BUCKETS];
};

_Static_assert(sizeof(CallBlock) <= 64, "the call block is the arena's first 64 bytes");

// Memory

static void* take(State* state, Pool* pool) {
  if (pool->free == NULL) {
    Slab* slab = map_memory(SLAB_SIZE);
    if (slab == NULL) return NULL;
    slab->next = state->slabs;
    state->slabs = slab;
    char* end = (char*)slab + SLAB_SIZE;
    for (char* at = (char*)slab + CELL_ALIGN; at + pool->cell_size <= end; at += pool->cell_size) {
      ((Cell*)at)->next = pool->free;
      pool->free = (Cell*)at;
    }
    if (pool->free == NULL) return NULL;
  }
  Cell* cell = pool->free;
  pool->free = cell->next;
  memset(cell, 0, pool->cell_size);
  return cell;
}

static void give(Pool* pool, void* at) {
  Cell* cell = at;
  cell->next = pool->free;
  pool->free = cell;
}

static void release_state(State* state) {
  if (--state->refs > 0) return;
  unmap_memory(state->arena, ARENA_SIZE);
  for (Slab* slab = state->slabs; slab != NULL;) {
    Slab* next = slab->next;
    unmap_memory(slab, SLAB_SIZE);
    slab = next;
  }
  unmap_memory(state, sizeof(State));
}

// ---------------------------------------------------------------------------------------------------------------------
// Values

// Objects that belong to us carry a type tag which names the kind and this very environment's state, so that neither
// another instance of this library nor a copy of the object can be taken for ours.
static napi_type_tag tag_of(State* state, uint64_t kind) {
  return (napi_type_tag){0x736b65706e617469ull ^ kind, (uint64_t)(uintptr_t)state};
}
enum { KIND_MAPPING = 1, KIND_WAITER = 2 };

static int has_tag(napi_env env, State* state, napi_value value, uint64_t kind) {
  napi_type_tag tag = tag_of(state, kind);
  napi_valuetype type;
  bool yes = false;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object) return 0;
  return napi_check_object_type_tag(env, value, &tag, &yes) == napi_ok && yes;
}

static napi_value type_error(napi_env env, const char* message) {
  napi_throw_type_error(env, NULL, message);
  return NULL;
}

// Some call of Node-API failed: an exception may be pending already, otherwise say so.
static napi_value napi_failed(napi_env env) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && !pending)
    napi_throw_error(env, "SKEP_NATIVE", "skep: a call of Node-API failed");
  return NULL;
}

static napi_value argument_error(napi_env env, int index, const char* what) {
  char message[160];
  const char* start = index == 0 ? "syscall: the number " : "syscall: argument ";
  size_t n = 0;
  while (*start != 0) message[n++] = *start++;
  if (index > 0) {
    message[n++] = (char)('0' + index);
    message[n++] = ' ';
  }
  while (*what != 0 && n < sizeof(message) - 1) message[n++] = *what++;
  message[n] = 0;
  return type_error(env, message);
}

static inline napi_value number(napi_env env, long value) {
  napi_value result;
  napi_status status = value == (int32_t)value ? napi_create_int32(env, (int32_t)value, &result)
                                               : napi_create_double(env, (double)value, &result);
  return status == napi_ok ? result : NULL;
}

static inline int safe_integer(double value, int64_t* result) {
  if (!(value >= -9007199254740991.0 && value <= 9007199254740991.0)) return 0;
  int64_t integer = (int64_t)value;
  *result = integer;
  return (double)integer == value;
}

static int integer_argument(napi_env env, napi_value value, int64_t* result) {
  double d;
  return napi_get_value_double(env, value, &d) == napi_ok && safe_integer(d, result);
}

typedef enum { ADDRESS_OK, ADDRESS_OTHER, ADDRESS_DETACHED } AddressResult;

// The address of an ArrayBuffer's or view's first byte. Asking for a view's data moves it off the JavaScript heap when
// it was there, so the address stays good for as long as the object lives.
static AddressResult address_of(napi_env env, napi_value value, void** address) {
  napi_value buffer = value;
  size_t size = 0;
  bool yes = false;
  *address = NULL;
  if (napi_is_typedarray(env, value, &yes) != napi_ok) return ADDRESS_OTHER;
  if (yes) {
    if (napi_get_typedarray_info(env, value, NULL, &size, address, NULL, NULL) != napi_ok) return ADDRESS_OTHER;
    if (size > 0 && *address != NULL) return ADDRESS_OK;
    if (napi_get_typedarray_info(env, value, NULL, NULL, NULL, &buffer, NULL) != napi_ok) return ADDRESS_OTHER;
  } else if (napi_is_arraybuffer(env, value, &yes) == napi_ok && yes) {
    if (napi_get_arraybuffer_info(env, value, address, &size) != napi_ok) return ADDRESS_OTHER;
  } else if (napi_is_dataview(env, value, &yes) == napi_ok && yes) {
    if (napi_get_dataview_info(env, value, &size, address, &buffer, NULL) != napi_ok) return ADDRESS_OTHER;
  } else {
    return ADDRESS_OTHER;
  }
  if (size > 0 && *address != NULL) return ADDRESS_OK;
  if (napi_is_detached_arraybuffer(env, buffer, &yes) != napi_ok) return ADDRESS_OTHER;
  return yes ? ADDRESS_DETACHED : ADDRESS_OK;
}

// ---------------------------------------------------------------------------------------------------------------------
// syscall(), arenaSyscall(), arena(), addressOf()

// An argument that is no number. Returns 0 with an exception pending when it cannot be one.
static int other_argument(napi_env env, int index, napi_value value, int64_t* result) {
  napi_valuetype type;
  if (napi_typeof(env, value, &type) != napi_ok) return napi_failed(env) != NULL;
  switch (type) {
    case napi_undefined:
    case napi_null:
      *result = 0;
      return 1;
    case napi_number:
      argument_error(env, index, "is not a safe integer");
      return 0;
    case napi_bigint: {
      bool lossless = false;
      if (napi_get_value_bigint_uint64(env, value, (uint64_t*)result, &lossless) == napi_ok && lossless) return 1;
      if (napi_get_value_bigint_int64(env, value, result, &lossless) == napi_ok && lossless) return 1;
      argument_error(env, index, "does not fit into 64 bits");
      return 0;
    }
    case napi_object: {
      void* address;
      switch (address_of(env, value, &address)) {
        case ADDRESS_OK:
          *result = (int64_t)(intptr_t)address;
          return 1;
        case ADDRESS_DETACHED:
          argument_error(env, index, "is a detached buffer");
          return 0;
        case ADDRESS_OTHER:
          break;
      }
      break;
    }
    default:
      break;
  }
  argument_error(env, index, "must be an integer, bigint, ArrayBuffer, view, null or undefined");
  return 0;
}

static napi_value js_syscall(napi_env env, napi_callback_info info) {
  napi_value argv[8];
  size_t argc = 8;
  int64_t a[7] = {0};
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return napi_failed(env);
  if (argc > 7) return type_error(env, "syscall: at most 6 arguments follow the number");
  double nr;
  if (argc == 0 || napi_get_value_double(env, argv[0], &nr) != napi_ok || !safe_integer(nr, &a[0]) || a[0] < 0)
    return argument_error(env, 0, "must be a non-negative integer");
  for (size_t i = 1; i < argc; i++) {
    double value;
    if (napi_get_value_double(env, argv[i], &value) == napi_ok && safe_integer(value, &a[i])) continue;
    if (!other_argument(env, (int)i, argv[i], &a[i])) return NULL;
  }
  return number(env, call6(a[0], a[1], a[2], a[3], a[4], a[5], a[6]));
}

static napi_value js_arena_syscall(napi_env env, napi_callback_info info) {
  void* data;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return napi_failed(env);
  const CallBlock* block = ((State*)data)->arena;
  return number(env, call6((long)block->nr, (long)block->args[0], (long)block->args[1], (long)block->args[2],
                           (long)block->args[3], (long)block->args[4], (long)block->args[5]));
}

static void finalize_arena(napi_env env, void* data, void* hint) {
  (void)env;
  (void)data;
  release_state(hint);
}

static napi_value js_arena(napi_env env, napi_callback_info info) {
  void* data;
  napi_value result = NULL;
  if (napi_get_cb_info(env, info, NULL, NULL, NULL, &data) != napi_ok) return napi_failed(env);
  State* state = data;
  if (state->arena_object != NULL) {
    if (napi_get_reference_value(env, state->arena_object, &result) != napi_ok) return napi_failed(env);
    return result;
  }
  napi_value buffer, address, object;
  if (napi_create_object(env, &object) != napi_ok ||
      napi_create_double(env, (double)(uintptr_t)state->arena, &address) != napi_ok ||
      napi_set_named_property(env, object, "address", address) != napi_ok)
    return napi_failed(env);
  state->refs++;  // the buffer's; given back by its finalizer, kept for ever when there was none
  if (napi_create_external_arraybuffer(env, state->arena, ARENA_SIZE, finalize_arena, state, &buffer) != napi_ok ||
      napi_set_named_property(env, object, "buffer", buffer) != napi_ok || napi_object_freeze(env, object) != napi_ok ||
      napi_create_reference(env, object, 1, &state->arena_object) != napi_ok)
    return napi_failed(env);
  return object;
}

static napi_value js_address_of(napi_env env, napi_callback_info info) {
  napi_value value;
  size_t argc = 1;
  void* address = NULL;
  if (napi_get_cb_info(env, info, &argc, &value, NULL, NULL) != napi_ok) return napi_failed(env);
  switch (address_of(env, value, &address)) {
    case ADDRESS_OK:
      return number(env, (long)address);
    case ADDRESS_DETACHED:
      return type_error(env, "addressOf: the buffer is detached");
    case ADDRESS_OTHER:
      break;
  }
  return type_error(env, "addressOf: an ArrayBuffer, typed array or DataView is needed");
}

// ---------------------------------------------------------------------------------------------------------------------
// mmap(), munmap()

static Mapping** bucket_of(State* state, void* at) { return &state->buckets[((uintptr_t)at >> 12) % BUCKETS]; }

static Mapping** find_mapping(State* state, void* at) {
  Mapping** link = bucket_of(state, at);
  while (*link != NULL && (*link)->at != at) link = &(*link)->next;
  return link;
}

static long unmap(Mapping* mapping) {
  void* at = mapping->at;
  Mapping** link = find_mapping(mapping->state, at);
  if (*link == mapping) *link = mapping->next;
  mapping->at = NULL;
  return unmap_memory(at, mapping->size);
}

// The ArrayBuffer's memory has no user any more: it was collected, detached, or the environment ends.
static void finalize_mapping(napi_env env, void* data, void* hint) {
  (void)env;
  (void)data;
  Mapping* mapping = hint;
  State* state = mapping->state;
  if (mapping->at != NULL) unmap(mapping);
  give(&state->mappings, mapping);
  release_state(state);
}

static napi_value js_mmap(napi_env env, napi_callback_info info) {
  napi_value argv[6], buffer;
  size_t argc = 6;
  void* data;
  int64_t length, prot, flags, fd, offset, near = 0;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return napi_failed(env);
  State* state = data;
  if (!integer_argument(env, argv[0], &length) || !integer_argument(env, argv[1], &prot) ||
      !integer_argument(env, argv[2], &flags) || !integer_argument(env, argv[3], &fd) ||
      !integer_argument(env, argv[4], &offset))
    return type_error(env, "mmap: length, prot, flags, fd and offset must be integers");
  // Where an arena has its address: without MAP_FIXED nothing that is mapped already can be replaced.
  if (argc >= 6 && !integer_argument(env, argv[5], &near)) return type_error(env, "mmap: address must be an integer");
  if (length < 0 || length > 0x100000000ll) return type_error(env, "mmap: length must be at most 4 GiB");
  if ((flags & MAP_FIXED_OR_NOREPLACE) != 0) return type_error(env, "mmap: MAP_FIXED is not supported");
  Mapping* mapping = take(state, &state->mappings);
  if (mapping == NULL) return number(env, -ENOMEM_);
  long at = call6(NR_MMAP, near, length, prot, flags, fd, offset);
  if (failed(at)) {
    give(&state->mappings, mapping);
    return number(env, at);
  }
  mapping->state = state;
  mapping->at = (void*)at;
  mapping->size = (size_t)length;
  Mapping** bucket = bucket_of(state, mapping->at);
  mapping->next = *bucket;
  *bucket = mapping;
  state->refs++;
  if (napi_create_external_arraybuffer(env, mapping->at, mapping->size, finalize_mapping, mapping, &buffer) != napi_ok) {
    // Whether the finalizer will run is not known: undo the mapping, keep its record.
    if (*find_mapping(state, (void*)at) == mapping) unmap(mapping);
    return napi_failed(env);
  }
  napi_type_tag tag = tag_of(state, KIND_MAPPING);
  if (napi_type_tag_object(env, buffer, &tag) != napi_ok) return napi_failed(env);
  return buffer;
}

static napi_value js_munmap(napi_env env, napi_callback_info info) {
  napi_value buffer;
  size_t argc = 1, size = 0;
  void *data, *at = NULL;
  bool detached = false;
  if (napi_get_cb_info(env, info, &argc, &buffer, NULL, &data) != napi_ok) return napi_failed(env);
  State* state = data;
  if (!has_tag(env, state, buffer, KIND_MAPPING)) return type_error(env, "munmap: this is no ArrayBuffer made by mmap");
  if (napi_is_detached_arraybuffer(env, buffer, &detached) != napi_ok) return napi_failed(env);
  if (detached) return type_error(env, "munmap: already unmapped");
  if (napi_get_arraybuffer_info(env, buffer, &at, &size) != napi_ok) return napi_failed(env);
  Mapping* mapping = *find_mapping(state, at);
  if (mapping == NULL || mapping->size != size) return type_error(env, "munmap: this is no ArrayBuffer made by mmap");
  // Detached first: what still views it then sees an empty buffer, never the memory's next owner.
  if (napi_detach_arraybuffer(env, buffer) != napi_ok) return napi_failed(env);
  return number(env, mapping->at == NULL ? 0 : unmap(mapping));
}

// ---------------------------------------------------------------------------------------------------------------------
// poll()

static uv_handle_t* handle_of(Waiter* waiter) {
  return (uv_handle_t*)((char*)waiter + (sizeof(Waiter) + 15) / 16 * 16);
}

static void release_waiter(Waiter* waiter) {
  if (--waiter->refs > 0) return;
  State* state = waiter->state;
  give(&state->waiters, waiter);
  release_state(state);
}

// While started, the JavaScript object is held, as Node holds its own active handles.
static void pin(napi_env env, Waiter* waiter, int pinned) {
  if (waiter->pinned == pinned || waiter->self == NULL) return;
  waiter->pinned = pinned;
  if (pinned) {
    napi_reference_ref(env, waiter->self, NULL);
  } else {
    napi_reference_unref(env, waiter->self, NULL);
  }
}

static void end_cleanup(State* state) {
  if (!state->ending || state->open_handles > 0 || state->cleanup == NULL) return;
  napi_async_cleanup_hook_handle cleanup = state->cleanup;
  state->cleanup = NULL;
  napi_remove_async_cleanup_hook(cleanup);
  release_state(state);
}

static void on_closed(uv_handle_t* handle) {
  Waiter* waiter = uv_handle_get_data(handle);
  State* state = waiter->state;
  state->refs++;
  state->open_handles--;
  release_waiter(waiter);
  end_cleanup(state);
  release_state(state);
}

// Idempotent. Frees the descriptor at once, the memory when libuv and JavaScript are both done with it.
static void close_waiter(Waiter* waiter) {
  if (waiter->link == NULL) return;
  *waiter->link = waiter->next;
  if (waiter->next != NULL) waiter->next->link = waiter->link;
  waiter->link = NULL;
  waiter->started = 0;
  uv_close(handle_of(waiter), on_closed);
  close_fd(waiter->fd);
}

static void finalize_waiter(napi_env env, void* data, void* hint) {
  (void)hint;
  Waiter* waiter = data;
  napi_ref self = waiter->self;
  waiter->self = NULL;
  waiter->pinned = 0;
  close_waiter(waiter);
  release_waiter(waiter);
  if (self != NULL) napi_delete_reference(env, self);
}

static void stop_waiter(napi_env env, Waiter* waiter) {
  if (waiter->link == NULL) return;
  waiter->started = 0;
  uv_poll_stop(handle_of(waiter));
  pin(env, waiter, 0);
}

static void on_ready(uv_handle_t* handle, int status, int events) {
  Waiter* waiter = uv_handle_get_data(handle);
  napi_env env = waiter->state->env;
  napi_handle_scope scope;
  napi_value self, callback, receiver, argv[2];
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  waiter->refs++;
  if (napi_get_reference_value(env, waiter->self, &self) != napi_ok || self == NULL ||
      napi_get_named_property(env, self, "callback", &callback) != napi_ok ||
      napi_get_global(env, &receiver) != napi_ok || napi_create_int32(env, status, &argv[0]) != napi_ok ||
      napi_create_int32(env, events, &argv[1]) != napi_ok) {
    stop_waiter(env, waiter);  // JavaScript cannot run any more
  } else {
    if (status < 0) stop_waiter(env, waiter);  // as libuv did; the callback may start it again
    if (napi_make_callback(env, NULL, receiver, callback, 2, argv, NULL) != napi_ok) {
      bool pending = false;
      napi_value error;
      if (napi_is_exception_pending(env, &pending) == napi_ok && pending &&
          napi_get_and_clear_last_exception(env, &error) == napi_ok) {
        napi_fatal_exception(env, error);
      } else {
        stop_waiter(env, waiter);
      }
    }
  }
  release_waiter(waiter);
  napi_close_handle_scope(env, scope);
}

static napi_value js_poll_constructor(napi_env env, napi_callback_info info) {
  napi_value this_value;
  void* data;
  if (napi_get_cb_info(env, info, NULL, NULL, &this_value, &data) != napi_ok) return napi_failed(env);
  State* state = data;
  if (!state->constructing) return type_error(env, "poll handles are made by poll()");
  state->constructing = 0;
  return this_value;
}

static napi_value js_poll(napi_env env, napi_callback_info info) {
  napi_value argv[2], constructor, object;
  size_t argc = 2;
  void* data;
  int64_t fd;
  napi_valuetype type;
  uv_loop_t* loop;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return napi_failed(env);
  State* state = data;
  if (!integer_argument(env, argv[0], &fd) || fd != (int32_t)fd) return type_error(env, "poll: fd must be an integer");
  if (napi_typeof(env, argv[1], &type) != napi_ok || type != napi_function)
    return type_error(env, "poll: the callback must be a function");
  if (state->waiters.cell_size == 0) {
    const char* name = uv_handle_type_name(UV_POLL);
    if (name == NULL || name[0] != 'p' || name[1] != 'o' || name[2] != 'l' || name[3] != 'l')
      return type_error(env, "poll: this Node has an unknown libuv");
    size_t size = (sizeof(Waiter) + 15) / 16 * 16 + uv_handle_size(UV_POLL);
    state->waiters.cell_size = (size + CELL_ALIGN - 1) / CELL_ALIGN * CELL_ALIGN;
  }
  if (napi_get_uv_event_loop(env, &loop) != napi_ok ||
      napi_get_reference_value(env, state->poll_class, &constructor) != napi_ok)
    return napi_failed(env);
  state->constructing = 1;
  napi_status status = napi_new_instance(env, constructor, 0, NULL, &object);
  state->constructing = 0;
  napi_type_tag tag = tag_of(state, KIND_WAITER);
  napi_property_descriptor callback = {.utf8name = "callback", .value = argv[1], .attributes = napi_default};
  if (status != napi_ok || napi_define_properties(env, object, 1, &callback) != napi_ok) return napi_failed(env);

  Waiter* waiter = take(state, &state->waiters);
  if (waiter == NULL) return number(env, -ENOMEM_);
  // A duplicate of our own: nobody can close it under libuv, which would abort the process; and one descriptor may
  // have many waiters.
  long own = call6(NR_FCNTL, fd, F_DUPFD_CLOEXEC_, 3, 0, 0, 0);
  int error = own < 0 ? (int)own : uv_poll_init(loop, handle_of(waiter), (int)own);
  if (error != 0) {
    if (own >= 0) close_fd((int)own);
    give(&state->waiters, waiter);
    return number(env, error);
  }
  uv_handle_set_data(handle_of(waiter), waiter);
  waiter->state = state;
  waiter->fd = (int)own;
  waiter->refs = 1;
  waiter->next = state->first_waiter;
  waiter->link = &state->first_waiter;
  if (waiter->next != NULL) waiter->next->link = &waiter->next;
  state->first_waiter = waiter;
  state->refs++;
  state->open_handles++;
  if (napi_wrap(env, object, waiter, finalize_waiter, NULL, &waiter->self) != napi_ok) {
    waiter->self = NULL;
    close_waiter(waiter);
    return napi_failed(env);
  }
  waiter->refs++;
  if (napi_type_tag_object(env, object, &tag) != napi_ok) {
    close_waiter(waiter);
    return napi_failed(env);
  }
  return object;
}

// The waiter behind `this`; NULL with an exception pending when it is none of ours.
static Waiter* this_waiter(napi_env env, napi_callback_info info, size_t* argc, napi_value* argv) {
  napi_value this_value;
  void *data, *waiter;
  if (napi_get_cb_info(env, info, argc, argv, &this_value, &data) != napi_ok) {
    napi_failed(env);
    return NULL;
  }
  if (!has_tag(env, data, this_value, KIND_WAITER)) {
    type_error(env, "this is no poll handle");
    return NULL;
  }
  if (napi_unwrap(env, this_value, &waiter) != napi_ok) {
    napi_failed(env);
    return NULL;
  }
  return waiter;
}

static napi_value js_poll_start(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t argc = 1;
  int64_t events = UV_READABLE;
  Waiter* waiter = this_waiter(env, info, &argc, argv);
  if (waiter == NULL) return NULL;
  if (argc > 0) {
    napi_valuetype type;
    if (napi_typeof(env, argv[0], &type) != napi_ok) return napi_failed(env);
    if (type != napi_undefined &&
        (!integer_argument(env, argv[0], &events) || events <= 0 || (events & ~UV_EVENTS_MASK) != 0))
      return type_error(env, "start: events must be a sum of 1 (readable), 2 (writable), 4 (hang-up), 8 (priority)");
  }
  if (waiter->link == NULL) return type_error(env, "start: the poll handle is closed");
  int error = uv_poll_start(handle_of(waiter), (int)events, on_ready);
  if (error == 0) {
    waiter->started = 1;
    pin(env, waiter, 1);
  }
  return number(env, error);
}

static napi_value js_poll_stop(napi_env env, napi_callback_info info) {
  Waiter* waiter = this_waiter(env, info, NULL, NULL);
  if (waiter != NULL) stop_waiter(env, waiter);
  return NULL;
}

static napi_value js_poll_close(napi_env env, napi_callback_info info) {
  Waiter* waiter = this_waiter(env, info, NULL, NULL);
  if (waiter == NULL) return NULL;
  close_waiter(waiter);
  pin(env, waiter, 0);
  return NULL;
}

static napi_value js_poll_ref(napi_env env, napi_callback_info info) {
  Waiter* waiter = this_waiter(env, info, NULL, NULL);
  if (waiter != NULL && waiter->link != NULL) uv_ref(handle_of(waiter));
  return NULL;
}

static napi_value js_poll_unref(napi_env env, napi_callback_info info) {
  Waiter* waiter = this_waiter(env, info, NULL, NULL);
  if (waiter != NULL && waiter->link != NULL) uv_unref(handle_of(waiter));
  return NULL;
}

// ---------------------------------------------------------------------------------------------------------------------
// spawn()

enum {
  CHILD_STACK = 1 << 16,
  CLONE_VM_VFORK_PIDFD = 0x100 | 0x4000 | 0x1000,
  SIGCHLD_ = 17,
  SIG_BLOCK_ = 0,
  SIG_SETMASK_ = 2,
  SIGNALS = 64,
  F_SETFD_ = 2,
  F_GETFL_ = 3,
  F_SETFL_ = 4,
  O_NONBLOCK_ = 04000,
  EXIT_NO_EXEC = 127,
};

// What parent and child share: the child runs in the parent's memory until it executes the program.
typedef struct {
  const char* path;
  char* const* argv;
  char* const* envp;
  long error;
} Program;

// clone(2) with a stack of its own for the child, which calls entry(argument) and exits. Returns in the parent only.
static long clone_child(long flags, char* stack_end, int* parent_word, int* child_word, int (*entry)(void*),
                        void* argument) {
  void** top = (void**)stack_end - 2;
  top[0] = (void*)entry;
  top[1] = argument;
#if defined(__x86_64__)
  register long r10 __asm__("r10") = (long)child_word;
  register long r8 __asm__("r8") = 0;
  long result;
  __asm__ volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "pop %%rax\n\t"
      "pop %%rdi\n\t"
      "call *%%rax\n\t"
      "mov %%eax, %%edi\n\t"
      "mov $60, %%eax\n\t"
      "syscall\n\t"
      "hlt\n"
      "1:"
      : "=a"(result)
      : "a"(56L), "D"(flags), "S"(top), "d"(parent_word), "r"(r10), "r"(r8)
      : "rcx", "r11", "memory", "cc");
  return result;
#else
  register long x8 __asm__("x8") = 220;
  register long x0 __asm__("x0") = flags;
  register long x1 __asm__("x1") = (long)top;
  register long x2 __asm__("x2") = (long)parent_word;
  register long x3 __asm__("x3") = 0;  // thread-local storage, which the child has none of
  register long x4 __asm__("x4") = (long)child_word;
  __asm__ volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, #0\n\t"
      "ldp x1, x0, [sp], #16\n\t"
      "blr x1\n\t"
      "mov x8, #93\n\t"
      "svc 0\n\t"
      "brk #0\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
      : "memory", "cc");
  return x0;
#endif
}

// In the child. Nothing of the parent's may be changed but what fork(2) would have copied: the table of signal actions
// and the descriptors are the child's own, memory is not.
static int become(void* argument) {
  Program* program = argument;
  long action[8] = {0};
  uint64_t none = 0;
  for (long signal = 1; signal <= SIGNALS; signal++) call6(NR_RT_SIGACTION, signal, (long)action, 0, 8, 0, 0);
  // Node closes its standard streams on exec, and makes pipes among them non-blocking, which programs do not expect.
  for (long fd = 0; fd <= 2; fd++) {
    call6(NR_FCNTL, fd, F_SETFD_, 0, 0, 0, 0);
    long flags = call6(NR_FCNTL, fd, F_GETFL_, 0, 0, 0, 0);
    if (flags >= 0 && (flags & O_NONBLOCK_) != 0) call6(NR_FCNTL, fd, F_SETFL_, flags & ~(long)O_NONBLOCK_, 0, 0, 0);
  }
  call6(NR_RT_SIGPROCMASK, SIG_SETMASK_, (long)&none, 0, 8, 0, 0);
  program->error = call6(NR_EXECVE, (long)program->path, (long)program->argv, (long)program->envp, 0, 0, 0);
  return EXIT_NO_EXEC;
}

static napi_value js_spawn(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  size_t argc = 4;
  void* address[4];
  if (napi_get_cb_info(env, info, &argc, argv, NULL, NULL) != napi_ok) return napi_failed(env);
  if (argc != 4) return type_error(env, "spawn: path, arguments, environment and a place for the descriptor are needed");
  for (size_t i = 0; i < 4; i++) {
    if (address_of(env, argv[i], &address[i]) != ADDRESS_OK || address[i] == NULL)
      return type_error(env, "spawn: every argument must be a buffer of some bytes");
  }
  Program program = {.path = address[0], .argv = address[1], .envp = address[2], .error = 0};
  char* stack = map_memory(CHILD_STACK);
  if (stack == NULL) return number(env, -ENOMEM_);
  // No handler of Node's may run in the child, on Node's memory.
  uint64_t all = ~(uint64_t)0, before = 0;
  call6(NR_RT_SIGPROCMASK, SIG_BLOCK_, (long)&all, (long)&before, 8, 0, 0);
  int pidfd = -1;
  long pid = clone_child(CLONE_VM_VFORK_PIDFD | SIGCHLD_, stack + CHILD_STACK, &pidfd, NULL, become, &program);
  call6(NR_RT_SIGPROCMASK, SIG_SETMASK_, (long)&before, 0, 8, 0, 0);
  unmap_memory(stack, CHILD_STACK);
  if (pid > 0 && program.error != 0) {
    call6(NR_WAIT4, pid, 0, 0, 0, 0, 0);
    close_fd(pidfd);
    return number(env, program.error);
  }
  if (pid > 0) *(int*)address[3] = pidfd;
  return number(env, pid);
}

// ---------------------------------------------------------------------------------------------------------------------
// background(), join()

enum {
  // A thread of this process: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, CHILD_CLEARTID.
  CLONE_THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000,
  FUTEX_WAIT_ = 0,
};

// One call of the thread's: what JavaScript wrote, and where it finds the result. A descriptor that the call gives is also
// written to `store`, which may be part of what a later call reads. Whoever changes `claimed` from 0 makes the call: the
// thread may begin late, when other threads have the CPUs, and JavaScript need not wait for it then.
typedef struct {
  uint64_t nr;
  uint64_t args[6];
  int32_t* store;
  int64_t result;
  uint64_t claimed;
} BackgroundCall;

typedef struct {
  uint64_t count;
  BackgroundCall calls[];
} BackgroundCalls;

enum { CALL_WORDS = sizeof(BackgroundCall) / 8 };

// In the thread, which has no libc and no thread-local storage: nothing but system calls.
static int make_calls(void* argument) {
  BackgroundCalls* all = argument;
  for (uint64_t i = 0; i < all->count; i++) {
    BackgroundCall* call = &all->calls[i];
    if (exchange(&call->claimed, 1) != 0) continue;
    long result = call6((long)call->nr, (long)call->args[0], (long)call->args[1], (long)call->args[2],
                        (long)call->args[3], (long)call->args[4], (long)call->args[5]);
    if (result >= 0 && call->store != NULL) *call->store = (int32_t)result;
    // JavaScript may be looking at it (Atomics.load).
    __atomic_store_n(&call->result, result, __ATOMIC_RELEASE);
  }
  return 0;
}

static void join_thread(State* state) {
  if (state->thread_stack == NULL) return;
  for (;;) {
    int alive = __atomic_load_n(&state->thread_alive, __ATOMIC_ACQUIRE);
    if (alive == 0) break;
    // The kernel wakes this word when the thread has ended (set_tid_address(2)); not a private futex.
    call6(NR_FUTEX, (long)&state->thread_alive, FUTEX_WAIT_, alive, 0, 0, 0);
  }
  unmap_memory(state->thread_stack, CHILD_STACK);
  state->thread_stack = NULL;
  napi_delete_reference(state->env, state->thread_memory);
  state->thread_memory = NULL;
}

static napi_value js_background(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2, length = 0;
  void *data, *address = NULL;
  napi_typedarray_type type;
  napi_valuetype kept;
  bool yes = false;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return napi_failed(env);
  State* state = data;
  if (napi_is_typedarray(env, argv[0], &yes) != napi_ok || !yes ||
      napi_get_typedarray_info(env, argv[0], &type, &length, &address, NULL, NULL) != napi_ok ||
      type != napi_biguint64_array)
    return type_error(env, "background: a BigUint64Array is needed");
  if (napi_typeof(env, argv[1], &kept) != napi_ok || kept != napi_object)
    return type_error(env, "background: an object that keeps the calls' memory is needed");
  BackgroundCalls* all = address;
  if (length == 0 || (length - 1) % CALL_WORDS != 0 || all->count != (length - 1) / CALL_WORDS)
    return type_error(env, "background: the array must hold the number of calls, then 10 words for each");
  if (state->thread_stack != NULL) return type_error(env, "background: a thread is under way; join() it first");
  char* stack = map_memory(CHILD_STACK);
  if (stack == NULL) return number(env, -ENOMEM_);
  // The calls themselves and what they name: also when a worker ends, which lets go of everything before it waits here.
  napi_value memory;
  if (napi_create_object(env, &memory) != napi_ok || napi_set_element(env, memory, 0, argv[0]) != napi_ok ||
      napi_set_element(env, memory, 1, argv[1]) != napi_ok ||
      napi_create_reference(env, memory, 1, &state->thread_memory) != napi_ok) {
    unmap_memory(stack, CHILD_STACK);
    return napi_failed(env);
  }
  state->thread_alive = 1;
  // A signal handler of Node's must not run there: the thread starts with all of them blocked.
  uint64_t every = ~(uint64_t)0, before = 0;
  call6(NR_RT_SIGPROCMASK, SIG_BLOCK_, (long)&every, (long)&before, 8, 0, 0);
  long tid = clone_child(CLONE_THREAD_FLAGS, stack + CHILD_STACK, NULL, &state->thread_alive, make_calls, all);
  call6(NR_RT_SIGPROCMASK, SIG_SETMASK_, (long)&before, 0, 8, 0, 0);
  if (tid < 0) {
    unmap_memory(stack, CHILD_STACK);
    napi_delete_reference(env, state->thread_memory);
    state->thread_memory = NULL;
    return number(env, tid);
  }
  state->thread_stack = stack;
  return number(env, 0);
}

static napi_value js_join(napi_env env, napi_callback_info info) {
  napi_value argv[1], ended;
  size_t argc = 1;
  void* data;
  bool waits = true;
  if (napi_get_cb_info(env, info, &argc, argv, NULL, &data) != napi_ok) return napi_failed(env);
  if (argc > 0 && napi_get_value_bool(env, argv[0], &waits) != napi_ok)
    return type_error(env, "join: whether to wait is a boolean");
  State* state = data;
  if (waits || __atomic_load_n(&state->thread_alive, __ATOMIC_ACQUIRE) == 0) join_thread(state);
  if (napi_get_boolean(env, state->thread_stack == NULL, &ended) != napi_ok) return napi_failed(env);
  return ended;
}

// ---------------------------------------------------------------------------------------------------------------------
// Beginning and end of an environment

// Node runs its loop until the hook is removed, so libuv's close callbacks are waited for.
static void on_environment_end(napi_async_cleanup_hook_handle handle, void* data) {
  State* state = data;
  state->cleanup = handle;
  state->ending = 1;
  // What it reads and writes is the environment's memory.
  join_thread(state);
  while (state->first_waiter != NULL) {
    Waiter* waiter = state->first_waiter;
    close_waiter(waiter);
    pin(state->env, waiter, 0);
  }
  end_cleanup(state);
}

#define METHOD(name, function) {.utf8name = name, .method = function, .attributes = napi_default_method, .data = state}
#define EXPORT(name, function) {.utf8name = name, .method = function, .attributes = napi_enumerable, .data = state}

NAPI_MODULE_INIT() {
  State* state = map_memory(sizeof(State));
  CallBlock* arena = map_memory(ARENA_SIZE);
  if (state == NULL || arena == NULL) {
    if (state != NULL) unmap_memory(state, sizeof(State));
    if (arena != NULL) unmap_memory(arena, ARENA_SIZE);
    napi_throw_error(env, "ENOMEM", "skep: no memory");
    return NULL;
  }
  state->env = env;
  state->refs = 1;
  state->arena = arena;
  state->mappings.cell_size = (sizeof(Mapping) + CELL_ALIGN - 1) / CELL_ALIGN * CELL_ALIGN;

  napi_property_descriptor methods[] = {
      METHOD("start", js_poll_start), METHOD("stop", js_poll_stop),   METHOD("close", js_poll_close),
      METHOD("ref", js_poll_ref),     METHOD("unref", js_poll_unref),
  };
  napi_value poll_class, version;
  if (napi_add_async_cleanup_hook(env, on_environment_end, state, &state->cleanup) != napi_ok ||
      napi_define_class(env, "Poll", NAPI_AUTO_LENGTH, js_poll_constructor, state, sizeof(methods) / sizeof(*methods),
                        methods, &poll_class) != napi_ok ||
      napi_create_reference(env, poll_class, 1, &state->poll_class) != napi_ok ||
      napi_create_string_utf8(env, SKEP_NATIVE_VERSION, NAPI_AUTO_LENGTH, &version) != napi_ok)
    return napi_failed(env);
  napi_property_descriptor exported[] = {
      EXPORT("syscall", js_syscall),
      EXPORT("arenaSyscall", js_arena_syscall),
      EXPORT("arena", js_arena),
      EXPORT("addressOf", js_address_of),
      EXPORT("mmap", js_mmap),
      EXPORT("munmap", js_munmap),
      EXPORT("poll", js_poll),
      EXPORT("spawn", js_spawn),
      EXPORT("background", js_background),
      EXPORT("join", js_join),
      {.utf8name = "version", .value = version, .attributes = napi_enumerable},
  };
  if (napi_define_properties(env, exports, sizeof(exported) / sizeof(*exported), exported) != napi_ok)
    return napi_failed(env);
  return exports;
}
