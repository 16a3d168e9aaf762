// A consumer of a ring buffer at work: what it costs and how late it is.
//
//	consumer      fd 3: the ring buffer. SIGUSR2 begins the count, SIGTERM ends it and prints.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"sort"
	"sync/atomic"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

const sample = 8

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

func now() uint64 {
	var t unix.Timespec
	check(unix.ClockGettime(unix.CLOCK_MONOTONIC, &t))
	return uint64(t.Nano())
}

func cpu() float64 {
	var use unix.Rusage
	check(unix.Getrusage(unix.RUSAGE_SELF, &use))
	return float64(use.Utime.Nano()+use.Stime.Nano()) / 1000
}

var last *event

func main() {
	ring, err := ebpf.NewMapFromFD(3)
	check(err)
	reader, err := ringbuf.NewReader(ring)
	check(err)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGUSR2, syscall.SIGTERM)
	var begun int32
	var events uint64
	var late []float64
	done := make(chan struct{})
	go func() {
		defer close(done)
		var record ringbuf.Record
		for reader.ReadInto(&record) == nil {
			if atomic.CompareAndSwapInt32(&begun, 1, 0) {
				events = 0
				late = make([]float64, 0, 1<<16)
			}
			last = decode(record.RawSample)
			events++
			if events%sample == 0 {
				late = append(late, float64(now()-last.ts)/1000)
			}
		}
	}()
	fmt.Println("ready")
	var start float64
	for s := range signals {
		if s == syscall.SIGTERM {
			break
		}
		atomic.StoreInt32(&begun, 1)
		start = cpu()
	}
	spent := cpu() - start
	reader.Close()
	<-done
	sort.Float64s(late)
	p50, p99 := 0.0, 0.0
	if len(late) > 0 {
		p50, p99 = late[len(late)/2], late[len(late)*99/100]
	}
	fmt.Printf("{\"events\":%d,\"cpu\":%.4f,\"p50\":%.1f,\"p99\":%.1f}\n", events, spent/float64(events), p50, p99)
}
