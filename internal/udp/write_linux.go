package udp

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// write sends a datagram beside the owner, whose message header it leaves alone. The
// kernel takes calls of several threads.
func (b *batch) write(data []byte, to netip.AddrPort) error {
	var errno unix.Errno
	var name sockaddr
	size := name.put(to, b.tx.family, new(zones))
	if size == 0 {
		return ErrUnreachable
	}
	iov := unix.Iovec{Base: unsafe.SliceData(data)}
	iov.SetLen(len(data))
	hdr := unix.Msghdr{Name: &name[0], Namelen: uint32(size), Iov: &iov}
	hdr.SetIovlen(1)
	send := func(fd uintptr) {
		for errno = b.tx.sendmsg(fd, &hdr); errno == unix.EINTR; {
			errno = b.tx.sendmsg(fd, &hdr)
		}
	}
	err := b.raw.Control(send)
	if err == nil && errno == unix.EAGAIN {
		err = b.raw.Control(func(fd uintptr) {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(sendPatience.Milliseconds()))
			send(fd)
		})
	}
	if err != nil {
		return b.closedOr(err)
	}
	return b.tx.outcome(errno, len(data), len(data))
}
