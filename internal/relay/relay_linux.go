package relay

import (
	"os"

	"golang.org/x/sys/unix"
)

// linkBuffer is asked of the kernel for what is on its way to the other process, in bytes:
// about what comes while that does not run for some milliseconds.
const linkBuffer = 4 << 20

// Pair makes a Link, and the other end for Open in another process.
func Pair() (ours *Link, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	for _, fd := range fds {
		// Less room costs datagrams, no more.
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, linkBuffer)
	}
	theirs = os.NewFile(uintptr(fds[1]), "link")
	if ours, err = Open(os.NewFile(uintptr(fds[0]), "link")); err != nil {
		_ = theirs.Close()
		return nil, nil, err
	}
	return ours, theirs, nil
}

// trySend sends what Pass has written, if there is room.
func (l *Link) trySend(fd uintptr) bool {
	_, err := unix.SendmsgN(int(fd), l.buf, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	l.sent = err == nil
	return true // whatever came of it
}
