package engine

import (
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Largest sizes of frames without variable content, so that room can be
// checked before they are written.
const (
	maxSizeVarintFrame     = 1 + 8 // MAX_DATA, RETIRE_CONNECTION_ID, …
	maxSizeResetStreamAt   = 1 + 8 + 8 + 8 + 8
	maxSizeNewConnectionID = 1 + 8 + 8 + 1 + wire.MaxConnectionIDLen + 16
)

// frameWriter is a packet under construction at the end of a datagram.
type frameWriter struct {
	b        []byte // the datagram so far
	max      int    // b may grow to this; room for the AEAD tag lies beyond
	start    int    // where the packet begins in b
	pnAt     int
	pnLen    int
	payload  int        // where the frames begin
	lengthAt int        // of a long header's Length field, 0 for a short header
	path     *path.Path // on which it leaves
	level    wire.Level
	space    wire.Space // of level
	pn       wire.PacketNumber
	sent     *recovery.Sent
	padded   bool // PADDING counts as in flight (RFC 9002, Section 2)
}

func (w *frameWriter) room() int { return w.max - len(w.b) }

// empty reports whether no frame was written.
func (w *frameWriter) empty() bool { return len(w.b) == w.payload }

// record remembers a frame without a range.
func (w *frameWriter) record(kind recovery.FrameKind, id uint64) {
	w.sent.Frames = append(w.sent.Frames, recovery.Frame{Kind: kind, ID: id})
	w.sent.AckEliciting = w.sent.AckEliciting || kind != recAck
}

// recordRange remembers a frame of stream or handshake data.
func (w *frameWriter) recordRange(kind recovery.FrameKind, id uint64, r streambuf.Range, fin bool) {
	w.sent.Frames = append(w.sent.Frames, recovery.Frame{
		Kind: kind, ID: id, Offset: r.Start, Len: uint32(r.End - r.Start), Fin: fin,
	})
	w.sent.AckEliciting = true
}

// pad appends n PADDING frames, which are zeros.
func (w *frameWriter) pad(n int) {
	if n <= 0 {
		return
	}
	at := len(w.b)
	w.b = w.b[:at+n]
	clear(w.b[at:])
	w.padded = true
}

// fillSample makes the packet long enough for header protection to take its
// sample (RFC 9001, Section 5.4.2).
func (w *frameWriter) fillSample() {
	w.pad(w.pnAt + 4 - len(w.b))
}

// begin starts a packet of a level for a path at the end of dst, which may grow to limit
// bytes. It returns false when there is no room for anything useful.
func (c *Conn) begin(w *frameWriter, p *path.Path, level wire.Level, dst []byte, limit int) bool {
	space := c.numberSpace(level.Space())
	pn := space.sent.Next()
	pnLen := wire.PacketNumberLen(pn, space.sent.LargestAcked())
	*w = frameWriter{b: dst, start: len(dst), path: p, level: level, space: level.Space(), pn: pn, pnLen: pnLen, max: limit - protect.Overhead}
	to := &p.Peer.ID
	switch level {
	case wire.OneRTTLevel:
		if w.room() < minUsefulRoom+1+to.Len() {
			return false
		}
		w.b = wire.AppendShortHeader(w.b, to, false, c.keys.KeyPhase(), pn, pnLen)
	default:
		var token []byte
		if level == wire.InitialLevel {
			token = c.hs.token
		}
		if w.room() < minUsefulRoom+maxLongHeader+len(token) {
			return false
		}
		w.b, w.lengthAt = wire.AppendLongHeader(w.b, level.PacketType(), c.version, to, &c.ids.local[0].id, token, pn, pnLen)
	}
	w.payload = len(w.b)
	w.pnAt = w.payload - pnLen
	w.sent = space.sent.Begin()
	return true
}

const (
	// minUsefulRoom is the payload below which a packet is not begun.
	minUsefulRoom = 32
	// maxLongHeader is a long header without a token: first byte, version, two
	// IDs with lengths, token length, Length and packet number.
	maxLongHeader = 1 + 4 + 2*(1+wire.MaxConnectionIDLen) + 2 + 2 + 4
)
