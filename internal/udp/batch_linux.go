package udp

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// batch is the backend of Linux: recvmmsg and sendmsg on a descriptor that
// stays with Go's network poller, which is how the owner blocks on it.
type batch struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	park parker
	rx   receiver
	tx   sender

	// The calls of raw take functions; they are made once, since a closure
	// costs an allocation.
	readOnce   func(fd uintptr)
	readOrWait func(fd uintptr) bool
	sendOnce   func(fd uintptr)
	sendOrWait func(fd uintptr) bool
}

func newBackend(conn *net.UDPConn, cfg Config, count *counters) (backend, error) {
	return newBatch(conn, cfg, count, realKernel)
}

// newBatch takes over conn, unless it returns an error.
func newBatch(conn *net.UDPConn, cfg Config, count *counters, k kernel) (*batch, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var family int
	var optErr error
	err = raw.Control(func(fd uintptr) { family, optErr = configure(k, fd, cfg, count) })
	if err := errors.Join(err, optErr); err != nil {
		return nil, err
	}
	zones := new(zones)
	b := &batch{conn: conn, raw: raw}
	b.park.setDeadline = conn.SetReadDeadline
	b.rx.init(k.recvmmsg, cfg.ReceiveBatch, zones, count)
	b.tx.init(b, k.sendmsg, zones, count, family)
	b.readOnce = func(fd uintptr) { b.rx.read(fd) }
	b.readOrWait = func(fd uintptr) bool { return b.rx.read(fd) }
	b.sendOnce = func(fd uintptr) { b.tx.write(fd) }
	b.sendOrWait = func(fd uintptr) bool { return b.tx.write(fd) != unix.EAGAIN }
	return b, nil
}

func (b *batch) recv(deadline time.Time) ([]Message, error) {
	if !b.park.enter(deadline) {
		b.park.leave()
		return b.tryRecv()
	}
	b.rx.looked = false
	err := b.raw.Read(b.readOrWait)
	b.park.leave()
	if err == nil {
		return b.rx.messages()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, closedOr(err)
	}
	b.park.forget()
	if b.rx.looked {
		return nil, nil
	}
	// The deadline had passed before: the poller then refuses to read, but a
	// loop that is always late must read, too.
	return b.tryRecv()
}

func (b *batch) tryRecv() ([]Message, error) {
	if err := b.raw.Control(b.readOnce); err != nil {
		return nil, closedOr(err)
	}
	return b.rx.messages()
}

func (b *batch) send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error {
	if segment <= 0 || segment > len(data) {
		segment = len(data)
	}
	return b.tx.train(data, segment, destination{to, from, ecn})
}

// writeOrWait makes the one call that the sender has prepared, and waits for
// room if the kernel has none.
func (b *batch) writeOrWait() (unix.Errno, error) {
	if err := b.raw.Control(b.sendOnce); err != nil {
		return 0, closedOr(err)
	}
	if b.tx.errno != unix.EAGAIN {
		return b.tx.errno, nil
	}
	if err := b.conn.SetWriteDeadline(time.Now().Add(sendPatience)); err != nil {
		return 0, closedOr(err)
	}
	err := b.raw.Write(b.sendOrWait)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, closedOr(err)
	}
	return b.tx.errno, nil
}

func (b *batch) wake() { b.park.wake() }

func (b *batch) close() error { return closedOr(b.conn.Close()) }
