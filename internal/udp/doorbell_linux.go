package udp

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// doorbell is how the owner of a socket sleeps until something arrives.
//
// Go's network poller watches a descriptor all the time. Whatever happens to it
// while its owner is busy, each train that arrives and each one sent whose buffer
// the receiver has freed, wakes a thread that sleeps in the poller, which finds
// nobody waiting and goes back to sleep: with an interrupt and two context switches
// for every train, on the processors that the owner and its peer need. So the
// socket is in an epoll instance of its own, which is silent unless armed, and the
// poller watches that.
//
// Another descriptor may ring as well, Config.Bell. It need not be armed: nobody writes to
// it while the owner is busy. Nor is it read: each write rings once.
type doorbell struct {
	file  *os.File // the epoll instance
	raw   syscall.RawConn
	other bool // there is another descriptor that may ring
	armed bool // the socket will ring; of the owner alone
}

// Who has rung.
const socketRang, otherRang = 0, 1

// newDoorbell makes one for a socket, and for another descriptor unless that is 0.
func newDoorbell(socket, other int) (*doorbell, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // what os takes as a wish to poll
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	d := &doorbell{file: os.NewFile(uintptr(fd), "epoll"), other: other != 0}
	err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, socket, &unix.EpollEvent{})
	if err == nil && other != 0 {
		err = unix.EpollCtl(fd, unix.EPOLL_CTL_ADD, other, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: otherRang})
	}
	if err == nil {
		d.raw, err = d.file.SyscallConn()
	}
	if err != nil {
		d.file.Close()
		return nil, os.NewSyscallError("epoll_ctl", err)
	}
	return d, nil
}

// arm makes it ring once, at once if there is something to read already.
func (d *doorbell) arm(fd uintptr, socket int) error {
	if d.armed {
		return nil
	}
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT, Fd: socketRang}
	if err := unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, socket, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	d.armed = true
	return nil
}

// answer silences it if it has rung, and reports whether the other descriptor has.
func (d *doorbell) answer(fd uintptr) (other bool) {
	if !d.armed && !d.other {
		return false
	}
	var events [2]unix.EpollEvent
	n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(&events)), uintptr(len(events)), 0, 0, 0)
	if errno != 0 {
		return false
	}
	for i := range events[:n] {
		switch events[i].Fd {
		case socketRang:
			d.armed = false
		case otherRang:
			other = true
		}
	}
	return other
}

// disarm silences it whether it has rung or not.
func (d *doorbell) disarm(fd uintptr, socket int) {
	if d.armed && unix.EpollCtl(int(fd), unix.EPOLL_CTL_MOD, socket, &unix.EpollEvent{}) == nil {
		d.armed = false
	}
}
