// Fill and drain: cilium/ebpf's ringbuf.Reader over records of 104 bytes.
//
//	ring touch|strings|binary RECORDS CYCLES      fd 3: the ring buffer, fd 4: the program that writes one record
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

func main() {
	mode := os.Args[1]
	records, err := strconv.Atoi(os.Args[2])
	check(err)
	cycles, err := strconv.Atoi(os.Args[3])
	check(err)
	ring, err := ebpf.NewMapFromFD(3)
	check(err)
	program, err := ebpf.NewProgramFromFD(4)
	check(err)
	reader, err := ringbuf.NewReader(ring)
	check(err)
	packet := make([]byte, 64)
	var record ringbuf.Record
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
				check(reader.ReadInto(&record))
				sum ^= uint64(binary.LittleEndian.Uint32(record.RawSample[8:]))
			}
		case "strings":
			for i := 0; i < records; i++ {
				check(reader.ReadInto(&record))
				e := decode(record.RawSample)
				kept[i] = e
				sum ^= uint64(e.pid)
			}
		case "binary":
			for i := 0; i < records; i++ {
				check(reader.ReadInto(&record))
				var r raw
				check(binary.Read(bytes.NewReader(record.RawSample), binary.LittleEndian, &r))
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
