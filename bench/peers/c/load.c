// Loading an object through libbpf.
//   load SLICES      fd 3: the object. How long each load took, in ms.
#include "peer.h"
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

static int quiet(enum libbpf_print_level level, const char* format, va_list args) {
  (void)level, (void)format, (void)args;
  return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) die("load SLICES");
  int slices = atoi(argv[1]);
  struct stat stat;
  if (fstat(3, &stat) != 0) die("fstat: %s", strerror(errno));
  char* bytes = malloc(stat.st_size);
  if (pread(3, bytes, stat.st_size, 0) != stat.st_size) die("read: %s", strerror(errno));
  libbpf_set_print(quiet);
  double* times = calloc(slices, sizeof(double));
  int programs = 0;
  for (int i = 0; i < slices; i++) {
    uint64_t start = now_ns();
    struct bpf_object* object = bpf_object__open_mem(bytes, stat.st_size, NULL);
    if (object == NULL) die("open: %s", strerror(errno));
    if (bpf_object__load(object) != 0) die("load: %s", strerror(errno));
    times[i] = (now_ns() - start) / 1e6;
    struct bpf_program* program;
    programs = 0;
    bpf_object__for_each_program(program, object) programs++;
    bpf_object__close(object);
  }
  printf("{\"programs\":%d,\"times\":[", programs);
  for (int i = 0; i < slices; i++) printf("%s%.3f", i == 0 ? "" : ",", times[i]);
  printf("]}\n");
}
