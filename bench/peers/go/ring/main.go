// Fill and drain: cilium/ebpf's readers over records of 104 bytes.
//
//	ring KIND touch|strings|binary RECORDS CYCLES      fd 3: the ring or perf buffer, fd 4: the program that writes one record
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"sort"
	"strconv"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/perf"
	"github.com/cilium/ebpf/ringbuf"
)

const warmUp = 30

type raw struct {
	Ts       uint64
	Pid, Tid uint32
	Ret      int32
	Comm     [16]byte
	Filename [64]byte
	_        [4]byte
}

type event struct {
	ts             uint64
	pid, tid       uint32
	ret            int32
	comm, filename string
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func text(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

func decode(b []byte) *event {
	return &event{
		ts:       binary.LittleEndian.Uint64(b),
		pid:      binary.LittleEndian.Uint32(b[8:]),
		tid:      binary.LittleEndian.Uint32(b[12:]),
		ret:      int32(binary.LittleEndian.Uint32(b[16:])),
		comm:     text(b[20:36]),
		filename: text(b[36:100]),
	}
}

// What gives the next record.
func open(kind string, stream *ebpf.Map) func() []byte {
	if kind == "ring" {
		reader, err := ringbuf.NewReader(stream)
		check(err)
		var record ringbuf.Record
		return func() []byte {
			check(reader.ReadInto(&record))
			return record.RawSample
		}
	}
	reader, err := perf.NewReader(stream, 2<<20)
	check(err)
	var record perf.Record
	return func() []byte {
		check(reader.ReadInto(&record))
		return record.RawSample
	}
}

func main() {
	kind, mode := os.Args[1], os.Args[2]
	records, err := strconv.Atoi(os.Args[3])
	check(err)
	cycles, err := strconv.Atoi(os.Args[4])
	check(err)
	stream, err := ebpf.NewMapFromFD(3)
	check(err)
	program, err := ebpf.NewProgramFromFD(4)
	check(err)
	next := open(kind, stream)
	packet := make([]byte, 64)
	var sum uint64
	kept := make([]*event, records)
	times := make([]float64, 0, cycles)
	for cycle := -warmUp; cycle < cycles; cycle++ {
		_, err := program.Run(&ebpf.RunOptions{Data: packet, Repeat: uint32(records)})
		check(err)
		start := time.Now()
		switch mode {
		case "touch":
			for i := 0; i < records; i++ {
				sum ^= uint64(binary.LittleEndian.Uint32(next()[8:]))
			}
		case "strings":
			for i := 0; i < records; i++ {
				e := decode(next())
				kept[i] = e
				sum ^= uint64(e.pid)
			}
		case "binary":
			for i := 0; i < records; i++ {
				var r raw
				check(binary.Read(bytes.NewReader(next()), binary.LittleEndian, &r))
				kept[i] = &event{r.Ts, r.Pid, r.Tid, r.Ret, text(r.Comm[:]), text(r.Filename[:])}
				sum ^= uint64(r.Pid)
			}
		}
		elapsed := time.Since(start)
		if cycle >= 0 {
			times = append(times, float64(elapsed.Nanoseconds())/float64(records))
		}
	}
	sort.Float64s(times)
	middle := (times[(len(times)-1)/2] + times[len(times)/2]) / 2
	fmt.Printf("{\"ns\":%.3f,\"min\":%.3f,\"sum\":%d}\n", middle, times[0], sum)
}
