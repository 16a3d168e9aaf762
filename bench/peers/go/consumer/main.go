// A consumer of a ring or perf buffer at work: what it costs and how late it is.
//
//	consumer ring|perf SIZE      fd 3: the map; a perf buffer has SIZE bytes for each CPU. SIGUSR2 begins the count, SIGTERM ends it and prints.
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"os/signal"
	"sort"
	"strconv"
	"sync/atomic"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/perf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"
)

const every = 8

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

// What gives the next record, nil at the end, and what ends it.
func open(stream *ebpf.Map) (func() []byte, func() error) {
	if os.Args[1] == "ring" {
		reader, err := ringbuf.NewReader(stream)
		check(err)
		var record ringbuf.Record
		return func() []byte {
			if reader.ReadInto(&record) != nil {
				return nil
			}
			return record.RawSample
		}, reader.Close
	}
	size, err := strconv.Atoi(os.Args[2])
	check(err)
	reader, err := perf.NewReader(stream, size)
	check(err)
	var record perf.Record
	return func() []byte {
		for {
			if reader.ReadInto(&record) != nil {
				return nil
			}
			if record.LostSamples == 0 {
				return record.RawSample
			}
		}
	}, reader.Close
}

func main() {
	stream, err := ebpf.NewMapFromFD(3)
	check(err)
	next, end := open(stream)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGUSR2, syscall.SIGTERM)
	var begun int32
	var events uint64
	var late []float64
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			sample := next()
			if sample == nil {
				return
			}
			if atomic.CompareAndSwapInt32(&begun, 1, 0) {
				events = 0
				late = make([]float64, 0, 1<<16)
			}
			last = decode(sample)
			events++
			if events%every == 0 {
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
	end()
	<-done
	sort.Float64s(late)
	p50, p99 := 0.0, 0.0
	if len(late) > 0 {
		p50, p99 = late[len(late)/2], late[len(late)*99/100]
	}
	fmt.Printf("{\"events\":%d,\"cpu\":%.4f,\"p50\":%.1f,\"p99\":%.1f}\n", events, spent/float64(events), p50, p99)
}
