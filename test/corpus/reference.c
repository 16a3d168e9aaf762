// What libbpf gives to the kernel for each program of an object: one line of JSON for each program, loaded by itself.
//
//   reference FILE…
//   reference --tests FILE     programs as the kernel's own test_loader loads them: each line of the input is NAME LEVEL
//                              FLAGS RUN BTF FILL AUXILIARY,…; also tells the verifier's log (as hex) and what a run returned
//
// libbpf's own system call is ours here, so that the instructions can be seen as they are; the kernel gets them, too, and
// its answer is told. Descriptors are written as 0: they are not the same in two loads.
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int recording;
static int result_errno;
static unsigned char* seen;
static unsigned seen_count, seen_type, seen_attach, seen_flags, seen_target, seen_functions, seen_lines;
static char wanted[16];
/* The kernel keeps 15 characters of a name: programs of one object may share them. */
static const struct bpf_program* program_wanted;

static long raw(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

long syscall(long number, ...) {
  va_list list;
  long a[6];
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  long result;
  if (number != SYS_bpf) {
    register long r10 __asm__("r10") = a[3];
    register long r8 __asm__("r8") = a[4];
    register long r9 __asm__("r9") = a[5];
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  } else {
    result = raw(number, a[0], a[1], a[2]);
    union bpf_attr* attr = (void*)a[1];
    // libbpf loads small programs of its own to find out what the kernel can do: they have other names.
    if (recording && a[0] == BPF_PROG_LOAD && strncmp(attr->prog_name, wanted, 15) == 0 &&
        (program_wanted == NULL || (void*)(unsigned long)attr->insns == (void*)bpf_program__insns(program_wanted))) {
      free(seen);
      seen_count = attr->insn_cnt;
      seen = malloc(seen_count * 8);
      memcpy(seen, (void*)(unsigned long)attr->insns, seen_count * 8);
      seen_type = attr->prog_type;
      seen_attach = attr->expected_attach_type;
      seen_flags = attr->prog_flags;
      seen_target = attr->attach_btf_id;
      seen_functions = attr->func_info_cnt;
      seen_lines = attr->line_info_cnt;
      result_errno = result < 0 ? -result : 0;
    }
  }
  if (result < 0 && result > -4096) {
    errno = -result;
    return -1;
  }
  return result;
}

static void print_instructions(void) {
  for (unsigned i = 0; i < seen_count; i++) {
    unsigned char* at = seen + i * 8;
    unsigned source = at[1] >> 4;
    int wide = at[0] == 0x18 && i + 1 < seen_count;
    if (wide && (source == BPF_PSEUDO_MAP_FD || source == BPF_PSEUDO_MAP_VALUE)) memset(at + 4, 0, 4);
    // Variables of modules: the descriptor of the module's types.
    if (wide && source == BPF_PSEUDO_BTF_ID) memset(at + 12, 0, 4);
    for (int k = 0; k < (wide ? 16 : 8); k++) printf("%02x", at[k]);
    if (wide) i++;
  }
}

static int quiet(enum libbpf_print_level level, const char* format, va_list arguments) {
  if (getenv("VERBOSE") != NULL) return vfprintf(stderr, format, arguments);
  return 0;
}

static void begin(struct bpf_object* object, const char* name) {
  program_wanted = bpf_object__find_program_by_name(object, name);
  free(seen);
  seen = NULL;
  seen_count = 0;
  result_errno = 0;
  memset(wanted, 0, sizeof wanted);
  strncpy(wanted, name, 15);
  recording = 1;
}

static void one(const char* path, const char* name) {
  struct bpf_object* object = bpf_object__open_file(path, NULL);
  if (object == NULL) return;
  struct bpf_program* program;
  bpf_object__for_each_program(program, object) bpf_program__set_autoload(program, strcmp(bpf_program__name(program), name) == 0);
  // What the tools themselves set before they load their objects.
  struct bpf_map* map;
  bpf_object__for_each_map(map, object) {
    enum bpf_map_type type = bpf_map__type(map);
    if (bpf_map__max_entries(map) == 0 && (type == BPF_MAP_TYPE_HASH || type == BPF_MAP_TYPE_ARRAY || type == BPF_MAP_TYPE_STACK_TRACE)) bpf_map__set_max_entries(map, 64);
    if (bpf_map__value_size(map) == 0 && type == BPF_MAP_TYPE_STACK_TRACE) bpf_map__set_value_size(map, 127 * 8);
  }
  begin(object, name);
  int error = bpf_object__load(object);
  recording = 0;
  printf("{\"program\":\"%s\",\"error\":%d,\"errno\":%d,\"reached\":%s", name, error, result_errno, seen == NULL ? "false" : "true");
  if (seen != NULL) {
    printf(",\"type\":%u,\"attachType\":%u,\"flags\":%u,\"target\":%u,\"functions\":%u,\"lines\":%u,\"code\":\"", seen_type, seen_attach, seen_flags, seen_target, seen_functions, seen_lines);
    print_instructions();
    printf("\"");
  }
  printf("}\n");
  bpf_object__close(object);
}

static char log_text[2 << 20];

/** One program of test_loader's, by the same steps (tools/testing/selftests/bpf/test_loader.c, run_subtest). */
static void test(const char* path, const char* name, int level, unsigned flags, int run, const char* btf, const char* fill, const char* auxiliary) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = strcmp(btf, "-") == 0 ? NULL : btf);
  struct bpf_object* object = bpf_object__open_file(path, &options);
  if (object == NULL) return;
  struct bpf_program *program, *tested = NULL;
  char listed[160];
  bpf_object__for_each_program(program, object) {
    const char* own = bpf_program__name(program);
    snprintf(listed, sizeof listed, ",%s,", own);
    if (strcmp(own, name) == 0) tested = program;
    bpf_program__set_autoload(program, tested == program || strstr(auxiliary, listed) != NULL);
  }
  log_text[0] = 0;
  bpf_program__set_log_buf(tested, log_text, sizeof log_text);
  bpf_program__set_log_level(tested, level);
  bpf_program__set_flags(tested, bpf_program__flags(tested) | flags);
  begin(object, name);
  int error = bpf_object__load(object);
  recording = 0;
  printf("{\"program\":\"%s\",\"error\":%d,\"errno\":%d,\"reached\":%s,\"log\":\"", name, error, result_errno, seen == NULL ? "false" : "true");
  for (const unsigned char* at = (unsigned char*)log_text; *at != 0; at++) printf("%02x", *at);
  printf("\"");
  struct bpf_map* filled = bpf_object__find_map_by_name(object, fill);
  if (filled != NULL && error == 0) {
    // As prog_tests/verifier.c does (struct test_val).
    unsigned key = 0, value[12] = {28, [7] = 0xabcdef12};
    bpf_map_update_elem(bpf_map__fd(filled), &key, value, 0);
  }
  // Tables of functions are registered first: for the whole machine, so in virtual ones only.
  struct bpf_link* links[32];
  int linked = 0;
  struct bpf_map* table;
  if (run && error == 0 && strcmp(getenv("SKEP_VM") ?: "", "1") == 0) {
    bpf_object__for_each_map(table, object) {
      if (bpf_map__type(table) != BPF_MAP_TYPE_STRUCT_OPS || linked == 32) continue;
      links[linked] = bpf_map__attach_struct_ops(table);
      if (links[linked] != NULL) linked++;
    }
  }
  if (run && error == 0) {
    unsigned char in[64] = {0}, out[256] = {0};
    LIBBPF_OPTS(bpf_test_run_opts, how);
    if (bpf_program__type(tested) != BPF_PROG_TYPE_SYSCALL) {
      how.data_in = in;
      how.data_size_in = sizeof in;
      how.data_out = out;
      how.data_size_out = sizeof out;
      how.repeat = 1;
    }
    if (bpf_prog_test_run_opts(bpf_program__fd(tested), &how) != 0) printf(",\"runErrno\":%d", errno);
    else printf(",\"retval\":%d", (int)how.retval);
  }
  printf("}\n");
  while (linked > 0) bpf_link__destroy(links[--linked]);
  bpf_object__close(object);
}

static int all_tests(const char* path) {
  char name[128], btf[512], fill[64], auxiliary[2048];
  int level, run;
  unsigned flags;
  while (scanf("%127s %d %u %d %511s %63s %2047s", name, &level, &flags, &run, btf, fill, auxiliary) == 7) {
    test(path, name, level, flags, run, btf, fill, auxiliary);
    fflush(stdout);
  }
  return 0;
}

int main(int argc, char** argv) {
  libbpf_set_print(quiet);
  if (argc == 3 && strcmp(argv[1], "--tests") == 0) return all_tests(argv[2]);
  for (int i = 1; i < argc; i++) {
    printf("{\"object\":\"%s\"}\n", argv[i]);
    struct bpf_object* object = bpf_object__open_file(argv[i], NULL);
    if (object == NULL) {
      printf("{\"open\":%d}\n", errno);
      continue;
    }
    struct bpf_program* program;
    char* names[1024];
    int count = 0;
    bpf_object__for_each_program(program, object) {
      if (count < 1024) names[count++] = strdup(bpf_program__name(program));
    }
    bpf_object__close(object);
    for (int k = 0; k < count; k++) one(argv[i], names[k]);
    fflush(stdout);
  }
  return 0;
}
