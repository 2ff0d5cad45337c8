//go:build !linux

package udp

import (
	"errors"
	"fmt"
	"net"
	"os"
)

func newBackend(conn *net.UDPConn, cfg Config, count *counters) (backend, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	if err := raw.Control(setDontFragment); err != nil {
		return nil, err
	}
	return newPlain(conn, cfg, count)
}

// duplicate fails: only Linux's sockets go from one process to another.
func duplicate(uintptr) (*os.File, error) { return nil, errors.ErrUnsupported }

// bufferRemedy says how to make the kernel grant such buffers.
func bufferRemedy(read, write int) string {
	return fmt.Sprintf("allow socket buffers of %d bytes (macOS and FreeBSD: sysctl kern.ipc.maxsockbuf)", max(read, write))
}
