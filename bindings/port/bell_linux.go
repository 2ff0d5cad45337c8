package port

import (
	"os"

	"golang.org/x/sys/unix"
)

// bell is an eventfd that wakes a goroutine, or a loop.
type bell struct {
	file       *os.File
	descriptor int
}

// lanesReadBells says that loops can be woken by a bell.
const lanesReadBells = true

func (b *bell) open() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	b.descriptor, b.file = fd, os.NewFile(uintptr(fd), "eventfd")
	return nil
}

func (b *bell) fd() int { return b.descriptor }

// ring wakes whoever waits.
func (b *bell) ring() { _, _ = b.file.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0}) }

// wait waits for a ring.
func (b *bell) wait() {
	var count [8]byte
	_, _ = b.file.Read(count[:])
}

func (b *bell) close() {
	if b.file != nil {
		_ = b.file.Close()
	}
}
