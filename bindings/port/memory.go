package port

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"
)

// What begins the shared memory: struct gw_shared of godwit.h.
const (
	magic   = 0x54574447
	version = 1

	// HeaderSize is how many bytes the rings leave for it.
	HeaderSize = 4096

	// MinRing and MaxRing are the sizes that a ring may have, in bytes: it has to take
	// any header section, and positions have 32 bits. DefaultRing is that of half a
	// millisecond of bulk, which is more than a host that runs takes to come back.
	MinRing, DefaultRing, MaxRing = 64 << 10, 256 << 10, 1 << 30
)

// The offsets of gw_shared's members.
const (
	offMagic        = 0
	offVersion      = 4
	offCommands     = 8
	offCommandSize  = 12
	offEvents       = 16
	offEventSize    = 20
	offState        = 24
	offCommandHead  = 64
	offCommandTail  = 128
	offEventHead    = 192
	offEventTail    = 256
	offAsleep       = 320
	offStarved      = 324
	offWoken        = 384
	offReply        = 448
	offReplyKind    = 452
	offReplyCode    = 456
	offReplyLength  = 464
	offReplyConn    = 468
	offReplyText    = 472
	maxReplyText    = 488
	offEventCount   = 960
	offWakes        = 968
	offDropped      = 976
	offConnections  = 984
	offStreams      = 992
	sharedSize      = 1000
	stateOpen       = 1
	stateClosed     = 2
	stateFailed     = 3
	awake           = 0 // values of asleep
	pumpAsleep      = 1 // the first bell wakes the engine
	laneAsleep      = 2 // the second does
	recordAlignment = 16
)

// memory is what a port and its host share.
type memory []byte

// Size returns how many bytes the memory of a port has whose rings are of these sizes, 0
// for the default. The error names what is wrong.
func Size(commands, events uint32) (int, error) {
	for _, r := range []struct {
		name string
		size uint32
	}{{"command", commands}, {"event", events}} {
		if r.size != 0 && (r.size < MinRing || r.size > MaxRing || r.size&(r.size-1) != 0) {
			return 0, fmt.Errorf("port: the size of the %s ring is no power of two from %d to %d: %d", r.name, MinRing, MaxRing, r.size)
		}
	}
	return HeaderSize + int(ringSize(commands)) + int(ringSize(events)), nil
}

func ringSize(n uint32) uint32 {
	if n == 0 {
		return DefaultRing
	}
	return n
}

// format prepares memory that Size has measured.
func (m memory) format(commands, events uint32) error {
	size, err := Size(commands, events)
	switch {
	case err != nil:
		return err
	case len(m) < size:
		return fmt.Errorf("port: memory of %d bytes, %d are needed", len(m), size)
	case uintptr(unsafe.Pointer(unsafe.SliceData(m)))%recordAlignment != 0:
		return errors.New("port: memory is not aligned")
	}
	clear(m[:HeaderSize])
	*m.u32(offVersion) = version
	*m.u32(offCommands), *m.u32(offCommandSize) = HeaderSize, ringSize(commands)
	*m.u32(offEvents), *m.u32(offEventSize) = HeaderSize+ringSize(commands), ringSize(events)
	*m.u32(offState) = stateOpen
	atomic.StoreUint32(m.u32(offMagic), magic)
	return nil
}

// u32 and u64 return a member of gw_shared.
func (m memory) u32(off int) *uint32 { return (*uint32)(unsafe.Pointer(&m[off])) }

func (m memory) u64(off int) *uint64 { return (*uint64)(unsafe.Pointer(&m[off])) }

// ring returns the bytes of the ring that two members describe.
func (m memory) ring(at, size int) []byte {
	begin, n := *m.u32(at), *m.u32(size)
	return m[begin : begin+n : begin+n]
}

// setReply puts what was said of the last command with GW_CALL, or of a failure, where the
// host finds it.
func (m memory) setReply(conn uint32, kind ErrorKind, code uint64, text string) {
	*m.u32(offReplyKind) = uint32(kind)
	*m.u64(offReplyCode) = code
	*m.u32(offReplyLength) = uint32(copy(m[offReplyText:offReplyText+maxReplyText], text))
	atomic.StoreUint32(m.u32(offReplyConn), conn) // which says that the others are there
	atomic.AddUint32(m.u32(offReply), 1)
}
