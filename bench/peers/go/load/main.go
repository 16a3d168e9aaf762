// Loading an object through cilium/ebpf.
//
//	load SLICES      fd 3: the object. How long each load took, in ms.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/rlimit"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	slices, err := strconv.Atoi(os.Args[1])
	check(err)
	check(rlimit.RemoveMemlock())
	object, err := io.ReadAll(os.NewFile(3, "object"))
	check(err)
	times := make([]float64, slices)
	programs := 0
	for i := range times {
		start := time.Now()
		spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(object))
		check(err)
		collection, err := ebpf.NewCollection(spec)
		check(err)
		times[i] = float64(time.Since(start).Nanoseconds()) / 1e6
		programs = len(collection.Programs)
		collection.Close()
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"programs": programs, "times": times}))
}
