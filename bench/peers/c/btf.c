// One field of a kernel struct through libbpf.
#include "peer.h"
#include <bpf/btf.h>
#include <sys/resource.h>

int main(void) {
  struct btf* btf = btf__load_vmlinux_btf();
  if (btf == NULL) die("load: %s", strerror(errno));
  int id = btf__find_by_name_kind(btf, "task_struct", BTF_KIND_STRUCT);
  if (id < 0) die("find: %s", strerror(-id));
  const struct btf_type* type = btf__type_by_id(btf, id);
  const struct btf_member* member = btf_members(type);
  for (int i = 0; i < btf_vlen(type); i++) {
    if (strcmp(btf__name_by_offset(btf, member[i].name_off), "pid") != 0) continue;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"offset\":%u,\"kib\":%ld}\n", btf_member_bit_offset(type, i) / 8, usage.ru_maxrss);
    return 0;
  }
  die("no pid");
}
