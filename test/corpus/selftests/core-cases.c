// The table of prog_tests/core_reloc.c as lines of JSON: which object is fitted to which types, and what comes of it. Run in
// the folder of the compiled objects, which some of the expected values are read from.
#include "prog_tests/core_reloc.c"

// What the file needs of test_progs, none of which is called here.
struct test_env env;
void test__fail(void) {}
void test__skip(void) {}
bool test__start_subtest(const char* name) { return false; }
int trigger_module_test_read(int size) { return -1; }

static void text(const char* name, const char* value) {
  if (value == NULL) printf("\"%s\":null,", name);
  else printf("\"%s\":\"%s\",", name, value);
}

static void bytes(const char* name, const char* from, int count) {
  printf("\"%s\":\"", name);
  for (int i = 0; i < count; i++) printf("%02hhx", from[i]);
  printf("\",");
}

int main(void) {
  for (int i = 0; i < ARRAY_SIZE(test_cases); i++) {
    struct core_reloc_test_case one = test_cases[i];
    int error = one.setup == NULL ? 0 : one.setup(&one);
    printf("{");
    text("name", one.case_name);
    text("object", one.bpf_obj_file);
    text("types", one.btf_src_file);
    text("program", one.prog_name);
    text("tracepoint", one.raw_tp_name);
    bytes("input", one.input, one.input_len);
    bytes("output", one.output, one.output_len);
    printf("\"fails\":%s,\"module\":%s,\"error\":%d}\n", one.fails ? "true" : "false", one.needs_testmod ? "true" : "false", error);
  }
  return 0;
}
