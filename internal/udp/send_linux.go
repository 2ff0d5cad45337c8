package udp

import (
	"net/netip"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// destination is where datagrams go and how.
type destination struct {
	to   netip.AddrPort
	from netip.Addr
	ecn  uint8
}

// sender sends trains with one message header that it fills in again for each
// call.
type sender struct {
	sendmsg func(fd uintptr, msg *unix.Msghdr) unix.Errno
	socket  *batch
	zones   *zones
	count   *counters
	family  int

	// Made once: see batch.
	once, later func(fd uintptr)

	hdr   unix.Msghdr
	iov   unix.Iovec
	name  sockaddr
	ctrl  []byte // room of controlSpace bytes
	errno unix.Errno
}

// init prepares a sender for a socket of the given address family.
func (t *sender) init(b *batch, sendmsg func(uintptr, *unix.Msghdr) unix.Errno, zones *zones, count *counters, family int) {
	t.sendmsg, t.socket, t.zones, t.count, t.family = sendmsg, b, zones, count, family
	t.once = func(fd uintptr) { t.write(fd) }
	t.later = func(fd uintptr) {
		// An error or a signal makes the wait shorter, that is all.
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(sendPatience.Milliseconds()))
		t.write(fd)
	}
	t.ctrl = make([]byte, 0, controlSpace)
	t.hdr.Iov = &t.iov
	t.hdr.SetIovlen(1)
	t.hdr.Name = &t.name[0]
}

// Send implements Sender.
func (t *sender) Send(data []byte, segment int, to netip.AddrPort, from netip.Addr, ecn uint8) error {
	if segment <= 0 || segment > len(data) {
		segment = len(data)
	}
	return t.train(data, segment, destination{to, from, ecn})
}

// call makes the one call that attempt has prepared, and waits for room if the kernel has
// none.
func (t *sender) call() (unix.Errno, error) {
	b := t.socket
	if err := b.raw.Control(t.once); err != nil {
		return 0, b.closedOr(err)
	}
	if t.errno == unix.EAGAIN {
		if err := b.raw.Control(t.later); err != nil {
			return 0, b.closedOr(err)
		}
	}
	return t.errno, nil
}

// train sends data in segments, in as few calls as the kernel takes. segment is
// at most len(data).
func (t *sender) train(data []byte, segment int, d destination) error {
	t.hdr.Namelen = uint32(t.name.put(d.to, t.family, t.zones))
	if t.hdr.Namelen == 0 {
		return ErrUnreachable
	}
	defer func() { t.iov.Base = nil }() // data is the caller's
	for {
		n := trainChunk(len(data), segment, t.count.gso.Load())
		errno, err := t.attempt(data[:n], segment, d)
		if errno == unix.ECONNREFUSED {
			// What an earlier datagram met, see WatchRefusals, and told only once.
			errno, err = t.attempt(data[:n], segment, d)
		}
		if n > segment && (errno == unix.EIO || errno == unix.EINVAL) {
			n = segment
			errno, err = t.retrySingle(data[:n], d)
		}
		if err == nil {
			err = t.outcome(errno, n, segment)
		}
		data = data[n:]
		if err != nil || len(data) == 0 {
			return err
		}
	}
}

// attempt sends data in one call and returns the kernel's error, or the one that
// kept it from being asked.
func (t *sender) attempt(data []byte, segment int, d destination) (unix.Errno, error) {
	t.iov.Base = unsafe.SliceData(data)
	t.iov.SetLen(len(data))
	t.setControl(len(data) > segment, segment, d)
	return t.call()
}

// retrySingle sends the first datagram of a train that the kernel refused for a
// reason that may be the segmentation: EIO if the interface computes no
// checksums, EINVAL if something in between knows no UDP_SEGMENT. If the
// datagram passes alone, that was it, and the socket does without from now on.
// Otherwise, the reason may be the segment size, which older kernels report as
// EINVAL and only for a single datagram as EMSGSIZE, or the source address.
func (t *sender) retrySingle(data []byte, d destination) (unix.Errno, error) {
	errno, err := t.attempt(data, len(data), d)
	if errno == 0 && err == nil {
		t.count.gso.Store(false)
	}
	return errno, err
}

// setControl writes the control messages for d, and for segments if asked.
func (t *sender) setControl(segmented bool, segment int, d destination) {
	v4 := d.to.Addr().Unmap().Is4()
	b := t.ctrl[:0]
	if segmented {
		b = appendSegment(b, segment)
	}
	if from := d.from.Unmap(); from.IsValid() && from.Is4() == v4 {
		b = appendSource(b, from)
	}
	if ecn := d.ecn & 3; ecn != 0 && t.count.ecn {
		b = appendECN(b, v4, ecn)
	}
	t.hdr.Control = nil
	if len(b) > 0 {
		t.hdr.Control = &b[0]
	}
	t.hdr.SetControllen(len(b))
}

// write makes the call that attempt has prepared.
func (t *sender) write(fd uintptr) unix.Errno {
	t.errno = t.sendmsg(fd, &t.hdr)
	for t.errno == unix.EINTR {
		t.errno = t.sendmsg(fd, &t.hdr)
	}
	return t.errno
}

// outcome counts a call about n bytes and says what the caller of Send is told.
func (t *sender) outcome(errno unix.Errno, n, segment int) error {
	switch {
	case errno == 0:
		t.count.sent(n, segment)
		return nil
	case errno == unix.EAGAIN || errno == unix.ENOBUFS || errno == unix.ENOMEM:
		t.count.sendDrops.Add(uint64(segments(n, segment)))
		return nil
	case errno == unix.EMSGSIZE:
		return ErrMessageSize
	case isUnreachable(errno) || errno == unix.EINVAL: // EINVAL: the source address is gone
		return ErrUnreachable
	case isTransient(errno):
		t.count.sendErrors.Add(1)
		return nil
	}
	return os.NewSyscallError("sendmsg", errno)
}

// isUnreachable reports whether errno says that this machine has no way to the
// destination.
func isUnreachable(errno unix.Errno) bool {
	switch errno {
	case unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EADDRNOTAVAIL, unix.EAFNOSUPPORT, unix.ENETDOWN:
		return true
	}
	return false
}

// isTransient reports whether errno is about one datagram, often an earlier one
// that ICMP answered or a firewall refused, and not about the socket.
func isTransient(errno unix.Errno) bool {
	switch errno {
	case unix.ECONNREFUSED, unix.ECONNRESET, unix.EHOSTDOWN, unix.EPROTO, unix.ENOPROTOOPT,
		unix.EACCES, unix.EPERM, unix.ENOBUFS, unix.ENOMEM:
		return true
	}
	return false
}
