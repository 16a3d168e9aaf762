#!/bin/sh
# Compiles the object, which is kept in the repository: the bench needs no clang.
set -eu
cd "$(dirname "$0")"
clang -g -O2 -Wall -target bpfel -fdebug-prefix-map="$PWD=." -fdebug-compilation-dir=. -c forty.bpf.c -o forty.bpf.o
llvm-strip -g forty.bpf.o # DWARF; BTF stays
