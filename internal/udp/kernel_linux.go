package udp

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// mmsghdr is struct mmsghdr of recvmmsg(2).
type mmsghdr struct {
	hdr unix.Msghdr
	len uint32 // bytes received, set by the kernel
}

// kernel is every system call that batch makes, so that tests can play kernels
// that lack a facility or withdraw it. None of the calls blocks.
type kernel struct {
	recvmmsg  func(fd uintptr, msgs []mmsghdr) (int, unix.Errno)
	sendmsg   func(fd uintptr, msg *unix.Msghdr) unix.Errno
	setOption func(fd uintptr, level, name, value int) error
	getOption func(fd uintptr, level, name int) (int, error)
}

// realKernel is the kernel that runs the program.
var realKernel = kernel{
	recvmmsg: recvmmsg,
	sendmsg:  sendmsg,
	setOption: func(fd uintptr, level, name, value int) error {
		return unix.SetsockoptInt(int(fd), level, name, value)
	},
	getOption: func(fd uintptr, level, name int) (int, error) {
		return unix.GetsockoptInt(int(fd), level, name)
	},
}

// recvmmsg and sendmsg go through the scheduler-aware Syscall, as RawSyscall would
// keep a processor from the garbage collector for as long as the kernel copies a
// train. Only what is short uses the latter: the scheduler would take the
// processor away from the loop, which costs more than the call.

func recvmmsg(fd uintptr, msgs []mmsghdr) (int, unix.Errno) {
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd,
		uintptr(unsafe.Pointer(&msgs[0])), uintptr(len(msgs)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// shortTrain is how many bytes the kernel sends in less time than the scheduler
// takes notice of, about 20 microseconds.
const shortTrain = 8 << 10

func sendmsg(fd uintptr, msg *unix.Msghdr) unix.Errno {
	if msg.Iovlen == 1 && msg.Iov.Len <= shortTrain {
		_, _, errno := unix.RawSyscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(msg)), unix.MSG_DONTWAIT)
		return errno
	}
	_, _, errno := unix.Syscall(unix.SYS_SENDMSG, fd, uintptr(unsafe.Pointer(msg)), unix.MSG_DONTWAIT)
	return errno
}
