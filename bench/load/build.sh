#!/bin/sh
# Compiles the objects, which are kept in the repository: the bench needs no clang.
set -eu
cd "$(dirname "$0")"
compile() {
  clang -g -O2 -Wall -target bpfel -fdebug-prefix-map="$PWD=." -fdebug-compilation-dir=. -c forty.bpf.c "$@"
}
compile -o forty.bpf.o
compile -DNO_FIELDS -o forty-no-fields.bpf.o
llvm-strip -g forty.bpf.o forty-no-fields.bpf.o # DWARF; BTF stays
