// Map operations through cilium/ebpf.
//
//	map OPERATION ENTRIES OPERATIONS      fd 3: the map. The best of 20 slices, in ns for one operation (one entry in
//	                                      batches).
package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

const (
	slices = 20
	warmUp = 5
	keys   = 1024
)

type key struct {
	Pid, Cpu uint32
	Address  uint64
}

type value struct {
	Count, Total uint64
	Last, Flags  uint32
}

var (
	m       *ebpf.Map
	entries uint32
	memory  []uint64
	sum     uint64
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func structKey(i uint32) key {
	n := i & (keys - 1)
	return key{n, n & 7, 0x7f0000000000 + uint64(n)}
}

func lookupInt(n uint32) {
	var v uint64
	for i := uint32(0); i < n; i++ {
		k := i & (keys - 1)
		check(m.Lookup(&k, &v))
		sum += v
	}
}

func updateInt(n uint32) {
	for i := uint32(0); i < n; i++ {
		k := i & (keys - 1)
		v := uint64(i)
		check(m.Update(&k, &v, ebpf.UpdateAny))
	}
}

func lookupStruct(n uint32) {
	var v value
	for i := uint32(0); i < n; i++ {
		k := structKey(i)
		check(m.Lookup(&k, &v))
		sum += v.Count + uint64(v.Last)
	}
}

func updateStruct(n uint32) {
	for i := uint32(0); i < n; i++ {
		k := structKey(i)
		v := value{uint64(i), 2 * uint64(i), i, 1}
		check(m.Update(&k, &v, ebpf.UpdateAny))
	}
}

func lookupPerCPU(n uint32) {
	var all []uint64
	for i := uint32(0); i < n; i++ {
		k := i & (keys - 1)
		check(m.Lookup(&k, &all))
		for _, v := range all {
			sum += v
		}
	}
}

func updatePerCPU(n uint32) {
	var first []uint64
	k := uint32(0)
	check(m.Lookup(&k, &first))
	all := make([]uint64, len(first))
	for i := uint32(0); i < n; i++ {
		k := i & (keys - 1)
		for cpu := range all {
			all[cpu] = uint64(i)
		}
		check(m.Update(&k, all, ebpf.UpdateAny))
	}
}

func lookupBatchInt(n uint32) {
	ks, vs := make([]uint32, entries), make([]uint64, entries)
	for done := uint32(0); done < n; done += entries {
		got := readAll(func(count int) {
			for i := 0; i < count; i++ {
				sum += uint64(ks[i]) + vs[i]
			}
		}, ks, vs)
		if got != int(entries) {
			check(fmt.Errorf("%d entries of %d came", got, entries))
		}
	}
}

func lookupBatchStruct(n uint32) {
	ks, vs := make([]key, entries), make([]value, entries)
	for done := uint32(0); done < n; done += entries {
		got := readAll(func(count int) {
			for i := 0; i < count; i++ {
				sum += uint64(ks[i].Pid) + vs[i].Count
			}
		}, ks, vs)
		if got != int(entries) {
			check(fmt.Errorf("%d entries of %d came", got, entries))
		}
	}
}

func nextKeyInt(n uint32) {
	for done := uint32(0); done < n; {
		var k uint32
		var v uint64
		got := uint32(0)
		iterator := m.Iterate()
		for iterator.Next(&k, &v) {
			sum += uint64(k) + v
			got++
		}
		check(iterator.Err())
		if got != entries {
			check(fmt.Errorf("%d entries of %d came", got, entries))
		}
		done += got
	}
}

func updateBatchInt(n uint32) {
	ks, vs := make([]uint32, entries), make([]uint64, entries)
	for done := uint32(0); done < n; done += entries {
		for i := range ks {
			ks[i], vs[i] = uint32(i), uint64(i)
		}
		_, err := m.BatchUpdate(ks, vs, nil)
		check(err)
	}
}

func readMemory(n uint32) {
	for i := uint32(0); i < n; i++ {
		sum += memory[i&(entries-1)]
	}
}

func readMemoryAnywhere(n uint32) {
	for i := uint32(0); i < n; i++ {
		sum += memory[(i*2654435761)&(entries-1)]
	}
}

func writeMemory(n uint32) {
	for i := uint32(0); i < n; i++ {
		memory[i&(entries-1)] = uint64(i)
	}
}

var operations = map[string]func(uint32){
	"lookup-int":           lookupInt,
	"update-int":           updateInt,
	"lookup-struct":        lookupStruct,
	"update-struct":        updateStruct,
	"lookup-percpu":        lookupPerCPU,
	"update-percpu":        updatePerCPU,
	"lookup-batch-int":     lookupBatchInt,
	"lookup-batch-struct":  lookupBatchStruct,
	"entries-int":          lookupBatchInt,
	"entries-struct":       lookupBatchStruct,
	"next-key-int":         nextKeyInt,
	"update-batch-int":     updateBatchInt,
	"read-memory":          readMemory,
	"read-memory-anywhere": readMemoryAnywhere,
	"write-memory":         writeMemory,
}

func main() {
	run := operations[os.Args[1]]
	size, err := strconv.Atoi(os.Args[2])
	check(err)
	entries = uint32(size)
	count, err := strconv.Atoi(os.Args[3])
	check(err)
	m, err = ebpf.NewMapFromFD(3)
	check(err)
	if strings.Contains(os.Args[1], "memory") {
		b, err := unix.Mmap(m.FD(), 0, size*8, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		check(err)
		memory = unsafe.Slice((*uint64)(unsafe.Pointer(&b[0])), size)
	}
	if run == nil {
		check(errors.New("there is no operation " + os.Args[1]))
	}
	best := 1e18
	for slice := -warmUp; slice < slices; slice++ {
		start := time.Now()
		run(uint32(count))
		ns := float64(time.Since(start).Nanoseconds()) / float64(count)
		if slice >= 0 && ns < best {
			best = ns
		}
	}
	fmt.Printf("{\"ns\":%.3f,\"sum\":%d}\n", best, sum)
}
