package udp

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pressure returns how many bytes of the kernel's memory hold what has arrived and was not
// read, and how many messages have been lost for want of room since the socket was made
// (SO_MEMINFO, sock_diag(7)). ok is false where the system does not tell.
func (s *Socket) Pressure() (queued int, lost uint64, ok bool) {
	const (
		queuedAt = 0 // SK_MEMINFO_RMEM_ALLOC
		lostAt   = 8 // SK_MEMINFO_DROPS
	)
	var info [lostAt + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	err := s.control(func(fd uintptr) {
		_, _, errno := unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		ok = errno == 0 && size == uint32(unsafe.Sizeof(info))
	})
	return int(info[queuedAt]), uint64(info[lostAt]), ok && err == nil
}
