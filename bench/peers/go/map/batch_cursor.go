//go:build !prevkey

package main

import (
	"errors"

	"github.com/cilium/ebpf"
)

// readAll reads the whole map in batches; how many entries there were.
func readAll(visit func(count int), keys, values any) int {
	var cursor ebpf.MapBatchCursor
	total := 0
	for {
		count, err := m.BatchLookup(&cursor, keys, values, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			check(err)
		}
		visit(count)
		total += count
		if err != nil {
			return total
		}
	}
}
