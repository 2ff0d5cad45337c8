//go:build !linux

package port

import "os"

// bell is a pipe that wakes a goroutine.
type bell struct {
	r, w       *os.File
	descriptor int
}

// lanesReadBells says that loops can be woken by a bell.
const lanesReadBells = false

func (b *bell) open() (err error) {
	if b.r, b.w, err = os.Pipe(); err == nil {
		b.descriptor = int(b.w.Fd())
	}
	return err
}

func (b *bell) fd() int { return b.descriptor }

// ring wakes whoever waits.
func (b *bell) ring() { _, _ = b.w.Write(make([]byte, 8)) }

// wait waits for a ring.
func (b *bell) wait() {
	var count [8]byte
	_, _ = b.r.Read(count[:])
}

func (b *bell) close() {
	if b.r != nil {
		_ = b.r.Close()
		_ = b.w.Close()
	}
}
