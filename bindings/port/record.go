package port

import "encoding/binary"

// headerSize is that of a record's header, in bytes: struct gw_record.
const headerSize = 16

// skip is the type of a record that fills a ring's end.
const skip = 255

// peers is set in handles that the engine has chosen.
const peers = 1 << 31

// Flags of records.
const (
	flagFin    = 1
	flagUni    = 2
	flagRemote = 4
	flagCall   = 8
	flagSecure = 16
	flagNow    = 32
)

// Command is the type of a record of the host's: GW_CMD_... of godwit.h.
type Command uint8

// The commands.
const (
	CmdListen Command = iota + 1
	CmdConnect
	CmdClose
	CmdOpen
	CmdWrite
	CmdReset
	CmdStop
	CmdCredit
	CmdPriority
	CmdDatagram
	CmdRequest
	CmdRespond
	CmdInform
	CmdTrailers
	CmdSession
	CmdAccept
	CmdDrain
	CmdRoute
	CmdStats
	CmdCommit
	CmdExport
)

// Event is the type of a record of the engine's: GW_EV_... of godwit.h.
type Event uint8

// The events.
const (
	EvListening Event = iota + 1
	EvAccepted
	EvConnected
	EvClosed
	EvStream
	EvOpened
	EvData
	EvCredit
	EvReset
	EvStopped
	EvEnded
	EvDatagram
	EvRequest
	EvInform
	EvResponse
	EvTrailers
	EvSession
	EvSessionOpen
	EvRejected
	EvDraining
	EvStats
	EvError
	EvPath
	EvExported
)

// How a listener is closed: GW_CLOSE_... of godwit.h.
const (
	closeStop = iota
	closeGraceful
	closeAbort
)

// record is a record's header and payload.
type record struct {
	typ     uint8
	flags   uint8
	aux     uint16
	conn    uint32
	id      uint32
	payload []byte
}

// has reports whether a flag is set.
func (r *record) has(flag uint8) bool { return r.flags&flag != 0 }

// recordSize returns how many bytes of a ring a record with a payload of n bytes takes.
func recordSize(n uint32) uint32 { return headerSize + (n+recordAlignment-1)&^(recordAlignment-1) }

// putHeader writes a record's header, but for its payload.
func (r *record) putHeader(b []byte, length uint32) {
	binary.LittleEndian.PutUint32(b, length)
	b[4], b[5] = r.typ, r.flags
	binary.LittleEndian.PutUint16(b[6:], r.aux)
	binary.LittleEndian.PutUint32(b[8:], r.conn)
	binary.LittleEndian.PutUint32(b[12:], r.id)
}

// consumeRecord reads the record at the beginning of b, and returns how many bytes it
// takes, 0 if it is not whole.
func consumeRecord(b []byte) (r record, n uint32) {
	if len(b) < headerSize {
		return r, 0
	}
	length := binary.LittleEndian.Uint32(b)
	if length > uint32(len(b)) || recordSize(length) > uint32(len(b)) {
		return r, 0
	}
	return record{
		typ: b[4], flags: b[5], aux: binary.LittleEndian.Uint16(b[6:]),
		conn: binary.LittleEndian.Uint32(b[8:]), id: binary.LittleEndian.Uint32(b[12:]),
		payload: b[headerSize : headerSize+length],
	}, recordSize(length)
}

// appendRecord appends a whole record.
func appendRecord(b []byte, r record) []byte {
	at, length := len(b), uint32(len(r.payload))
	b = append(b, make([]byte, recordSize(length))...)
	r.putHeader(b[at:], length)
	copy(b[at+headerSize:], r.payload)
	return b
}

// u64 reads a payload that is one number; 0 if it is not that long.
func (r *record) u64() uint64 {
	if len(r.payload) < 8 {
		return 0
	}
	return binary.LittleEndian.Uint64(r.payload)
}

// u32 reads a number of 32 bits at the payload's beginning, likewise.
func (r *record) u32() uint32 {
	if len(r.payload) < 4 {
		return 0
	}
	return binary.LittleEndian.Uint32(r.payload)
}

// textAfter returns what follows n bytes of the payload.
func (r *record) textAfter(n int) string { return string(r.payload[min(n, len(r.payload)):]) }
