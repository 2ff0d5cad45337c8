package udp

import (
	"cmp"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// batch is the backend of Linux: recvmmsg and sendmsg on a descriptor that Go's
// network poller does not know. The owner blocks on its doorbell.
type batch struct {
	socket *os.File // counts the calls under way, so that none meets a closed descriptor
	raw    syscall.RawConn
	bell   *doorbell
	closed atomic.Bool
	deaf   bool // what arrives is somebody else's
	park   parker
	rx     receiver
	tx     sender

	// The calls of raw connections take functions; they are made once, since a
	// closure costs an allocation.
	readOnce  func(socket uintptr)
	readOrArm func(bell uintptr) bool
	failed    error // why readOrArm gave up
	hear      func(socket uintptr)
	disarm    func(bell uintptr)
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
	var family, fd int
	var optErr error
	err = raw.Control(func(old uintptr) {
		if family, optErr = configure(k, old, cfg, count); optErr == nil {
			fd, optErr = takeOver(old)
		}
	})
	if err := errors.Join(err, optErr); err != nil {
		return nil, err
	}
	b := &batch{socket: os.NewFile(uintptr(fd), "udp")}
	if b.raw, err = b.socket.SyscallConn(); err == nil {
		b.bell, err = newDoorbell(fd, cfg.Bell)
	}
	if err != nil {
		b.socket.Close()
		return nil, err
	}
	zones := new(zones)
	b.park.setDeadline = b.bell.file.SetReadDeadline
	b.rx.init(k.recvmmsg, cfg.ReceiveBatch, zones, count)
	b.tx.init(b, k.sendmsg, zones, count, family)
	b.prepare(fd)
	b.hear = func(socket uintptr) { setGRO(k, socket, count.gro) }
	if err := conn.Close(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// takeOver returns another descriptor of a socket that os does not hand to the
// network poller, since it may block. The calls made here never do.
func takeOver(old uintptr) (int, error) {
	fd, err := unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("fcntl", err)
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return 0, os.NewSyscallError("fcntl", err)
	}
	return fd, nil
}

// duplicate returns another descriptor of a socket.
func duplicate(fd uintptr) (*os.File, error) {
	other, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(other), "udp"), nil
}

// prepare makes the functions for raw connections.
func (b *batch) prepare(fd int) {
	b.readOnce = func(socket uintptr) {
		if b.deaf {
			b.rx.looked, b.rx.n, b.rx.errno = true, 0, unix.EAGAIN
			return
		}
		b.rx.read(socket)
	}
	b.readOrArm = func(bell uintptr) bool {
		rang := b.bell.answer(bell)
		if b.failed = b.raw.Control(b.readOnce); b.failed != nil || b.rx.errno != unix.EAGAIN || rang {
			return true
		}
		if b.deaf {
			return false
		}
		b.failed = b.bell.arm(bell, fd)
		return b.failed != nil
	}
	b.disarm = func(bell uintptr) { b.bell.disarm(bell, fd) }
}

func (b *batch) recv(deadline time.Time) ([]Message, error) {
	if !b.park.enter(deadline) {
		b.park.leave()
		return b.tryRecv()
	}
	b.rx.looked = false
	b.failed = nil
	err := cmp.Or(b.bell.raw.Read(b.readOrArm), b.failed)
	b.park.leave()
	if err == nil {
		return b.rx.messages()
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, b.closedOr(err)
	}
	b.park.forget()
	if err := b.bell.raw.Control(b.disarm); err != nil {
		return nil, b.closedOr(err)
	}
	if b.rx.looked {
		return nil, nil
	}
	// The deadline had passed before: the poller then refuses to read, but a
	// loop that is always late must read, too.
	return b.tryRecv()
}

func (b *batch) tryRecv() ([]Message, error) {
	if err := b.raw.Control(b.readOnce); err != nil {
		return nil, b.closedOr(err)
	}
	return b.rx.messages()
}

func (b *batch) send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error {
	return b.tx.Send(data, segment, to, from, ecn)
}

// newSender returns a sender with a message header of its own. The kernel takes calls of
// several threads.
func (b *batch) newSender() Sender {
	s := new(sender)
	s.init(b, b.tx.sendmsg, new(zones), b.tx.count, b.tx.family)
	return s
}

func (b *batch) setDeaf(deaf bool) error {
	b.deaf = deaf
	if deaf {
		return nil
	}
	return b.control(b.hear) // the options are as the other process liked them
}

func (b *batch) wake() { b.park.wake() }

// control calls f with the descriptor.
func (b *batch) control(f func(fd uintptr)) error { return b.closedOr(b.raw.Control(f)) }

func (b *batch) close() error {
	if b.closed.Swap(true) {
		return net.ErrClosed
	}
	err := b.bell.file.Close() // which wakes the owner
	return errors.Join(err, b.socket.Close())
}

// closedOr returns net.ErrClosed for the error of a call that failed since the
// socket was closed, for which raw connections of files have none.
func (b *batch) closedOr(err error) error {
	if err != nil && b.closed.Load() {
		return net.ErrClosed
	}
	return err
}
