//go:build !linux

package udp

import (
	"errors"

	"golang.org/x/net/bpf"
)

// attachSteering fails: only Linux has such a filter.
func attachSteering(uintptr, []bpf.RawInstruction) error { return errors.ErrUnsupported }
