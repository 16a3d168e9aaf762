// One field of a kernel struct through cilium/ebpf.
package main

import (
	"fmt"
	"os"
	"syscall"

	"github.com/cilium/ebpf/btf"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	spec, err := btf.LoadKernelSpec()
	check(err)
	var task *btf.Struct
	check(spec.TypeByName("task_struct", &task))
	for _, member := range task.Members {
		if member.Name == "pid" {
			var usage syscall.Rusage
			check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
			fmt.Printf("{\"offset\":%d,\"kib\":%d}\n", member.Offset.Bytes(), usage.Maxrss)
			return
		}
	}
	check(fmt.Errorf("no pid"))
}
