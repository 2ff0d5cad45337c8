package udp

import (
	"os"

	"golang.org/x/sys/unix"
)

// A receiver's memory is split into slots, one for each message of a call. With
// GRO a slot takes a train of any size, and eight of those are more than a loop
// should take at once; without, it takes a datagram, of a jumbo frame at most.
// Several slots a call are worth nothing for one peer's trains, but save a third
// of the processor time where GRO is off (BenchmarkReceiveSlots).
const (
	groSlots, groSlotSize     = 8, 64 << 10
	plainSlots, plainSlotSize = 32, 16 << 10
)

// receiver reads batches of messages with memory that it allocates once.
type receiver struct {
	recvmmsg func(fd uintptr, msgs []mmsghdr) (int, unix.Errno)
	zones    *zones
	count    *counters

	// One of each per slot; hdrs points into the others.
	hdrs  []mmsghdr
	iovs  []unix.Iovec
	names []sockaddr
	ctrl  []byte // controlSpace bytes per slot
	data  []byte // slotSize bytes per slot
	msgs  []Message

	slotSize int
	dirty    int // leading headers that the last call has written to

	// Outcome of the last call: the messages it brought or why it did not.
	n      int
	errno  unix.Errno
	looked bool // a call was made, set to false by whoever wants to know
}

// init allocates the slots, so many or a default for zero. count says whether
// GRO is on.
func (r *receiver) init(recvmmsg func(uintptr, []mmsghdr) (int, unix.Errno), slots int, zones *zones, count *counters) {
	r.recvmmsg, r.zones, r.count = recvmmsg, zones, count
	usual := plainSlots
	r.slotSize = plainSlotSize
	if count.gro {
		usual, r.slotSize = groSlots, groSlotSize
	}
	if slots <= 0 {
		slots = usual
	}
	r.hdrs = make([]mmsghdr, slots)
	r.iovs = make([]unix.Iovec, slots)
	r.names = make([]sockaddr, slots)
	r.ctrl = make([]byte, slots*controlSpace)
	r.data = make([]byte, slots*r.slotSize)
	r.msgs = make([]Message, slots)
	for i := range r.hdrs {
		r.iovs[i].Base = &r.data[i*r.slotSize]
		r.iovs[i].SetLen(r.slotSize)
		h := &r.hdrs[i].hdr
		h.Iov = &r.iovs[i]
		h.SetIovlen(1)
		h.Name = &r.names[i][0]
		h.Control = &r.ctrl[i*controlSpace]
	}
	r.dirty = slots
}

// read makes one call and notes its outcome; it returns false if there was
// nothing to read.
func (r *receiver) read(fd uintptr) bool {
	for i := range r.hdrs[:r.dirty] {
		h := &r.hdrs[i].hdr
		h.Namelen = uint32(len(r.names[i]))
		h.SetControllen(controlSpace)
		h.Flags = 0
	}
	r.looked = true
	r.n, r.errno = r.recvmmsg(fd, r.hdrs)
	for r.errno == unix.EINTR {
		r.n, r.errno = r.recvmmsg(fd, r.hdrs)
	}
	r.dirty = r.n
	return r.errno != unix.EAGAIN
}

// messages returns what the last call brought. Errors that the kernel kept for
// the socket because of an earlier send say nothing about receiving.
func (r *receiver) messages() ([]Message, error) {
	switch {
	case r.errno == unix.EAGAIN:
		return nil, nil
	case r.errno != 0 && (isTransient(r.errno) || isUnreachable(r.errno) || r.errno == unix.EMSGSIZE):
		r.count.receiveErrors.Add(1)
		return nil, nil
	case r.errno != 0:
		return nil, os.NewSyscallError("recvmmsg", r.errno)
	}
	good := 0
	for i := range r.n {
		if r.decode(i, &r.msgs[good]) {
			good++
		} else {
			r.count.receiveDrops.Add(1)
		}
	}
	return r.msgs[:good], nil
}

// decode describes slot i in m. It returns false for a datagram larger than the
// slot and for one whose control messages, and so perhaps its segment size, are
// incomplete.
func (r *receiver) decode(i int, m *Message) bool {
	h := &r.hdrs[i]
	if h.hdr.Flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0 {
		return false
	}
	start := i * r.slotSize
	size := int(h.len)
	*m = Message{
		Data:    r.data[start : start+size : start+size],
		Segment: size,
		Remote:  r.names[i].get(r.zones),
	}
	ctrl := i * controlSpace
	parseControl(r.ctrl[ctrl:ctrl+int(h.hdr.Controllen)], m)
	return true
}
