//go:build prevkey

package main

import (
	"errors"

	"github.com/cilium/ebpf"
)

// readAll reads the whole map in batches; how many entries there were. Versions before the cursor take the place to go
// on from as a key, which is four bytes for a hash's bucket whatever its keys are.
func readAll(visit func(count int), keys, values any) int {
	place := make([]byte, m.KeySize())
	var before any
	total := 0
	for {
		count, err := m.BatchLookup(before, &place, keys, values, nil)
		if err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			check(err)
		}
		visit(count)
		total += count
		if err != nil {
			return total
		}
		before = place
	}
}
