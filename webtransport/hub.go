package webtransport

import (
	"slices"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// hub is what WebTransport keeps of one connection. Unless they say otherwise its
// methods run on the connection's loop.
type hub struct {
	conn      *http3.Conn
	conf      *Config
	dedicated bool // to one session of this end's

	settled chan struct{} // closed when offer is there
	offer   peerOffer
	refused error // why the server cannot be used

	places places

	sessions map[uint64]*Session // by ID
	parked   []parkedStream      // whose session is not there yet, the oldest first
	gone     []uint64            // IDs of the last sessions that ended
}

// HandleSettings implements http3.ConnExtension.
func (h *hub) HandleSettings(t *quic.Turn) {
	if !h.conn.IsServer() && h.conn.PeerSetting(settingDraft15) > 1 {
		const reason = "SETTINGS_WT_ENABLED is neither 0 nor 1" // Section 3.1
		h.refused = &http3.Error{Code: h3.SettingsError, WholeConn: true, Reason: reason}
		h.conn.Abort(h3.SettingsError, reason)
		return
	}
	h.offer = h.conf.readOffer(t, h.conn)
	close(h.settled)
}

// HandleGoAway implements http3.ConnExtension: sessions should end soon
// (Section 4.7).
func (h *hub) HandleGoAway(*quic.Turn) {
	for _, s := range h.sessions {
		s.drainBegun()
		if h.conn.IsServer() {
			s.Drain()
		}
	}
}

// HandleClose implements http3.ConnExtension.
func (h *hub) HandleClose(_ *quic.Turn, err error) {
	h.parked = nil
	for _, s := range h.sessions {
		s.end(err)
	}
}

// HandleStream implements http3.ConnExtension: a stream begins with the session
// it belongs to.
func (h *hub) HandleStream(t *quic.Turn, s quic.StreamRef) {
	begin := &beginning{hub: h}
	t.Handle(s, begin)
	begin.HandleReadable(t, s)
}

// noEvents is the part of a quic.StreamHandler that does nothing.
type noEvents struct{}

func (noEvents) HandleReadable(*quic.Turn, quic.StreamRef)      {}
func (noEvents) HandleWritable(*quic.Turn, quic.StreamRef)      {}
func (noEvents) HandleEnd(*quic.Turn, quic.StreamRef, quic.End) {}

// beginning is a stream whose session ID has not arrived.
type beginning struct {
	noEvents
	hub *hub
	id  h3.VarintReader
}

// HandleReadable reads the session ID.
func (b *beginning) HandleReadable(t *quic.Turn, s quic.StreamRef) {
	id, ok, err := b.id.Read(turnReader{t, s})
	switch {
	case err != nil:
		refuse(t, s, codeBufferedStreamRejected) // it says to whom it belongs no more
	case !ok:
	case id%4 != 0:
		b.hub.conn.Abort(h3.IDError, "session ID that is no request's") // Section 4
	default:
		b.hub.route(t, id, s)
	}
}

// turnReader is a stream as package h3 reads it, in a turn.
type turnReader struct {
	turn   *quic.Turn
	stream quic.StreamRef
}

func (r turnReader) TryRead(p []byte) (int, error) { return r.turn.Read(r.stream, p) }

// route gives a stream to its session.
func (h *hub) route(t *quic.Turn, id uint64, s quic.StreamRef) {
	if session := h.sessions[id]; session != nil {
		session.addStream(t, s)
		return
	}
	for _, gone := range h.gone {
		if gone == id {
			refuse(t, s, codeSessionGone)
			return
		}
	}
	h.park(t, id, s)
}

// refuse ends a stream of the peer's.
func refuse(t *quic.Turn, s quic.StreamRef, code http3.ErrorCode) {
	t.Handle(s, nil)
	s.CancelRead(uint64(code))
	s.CancelWrite(uint64(code))
}

// parkedStream waits for its session.
type parkedStream struct {
	id     uint64 // of the session
	stream quic.StreamRef
	since  time.Duration // of Turn.Now
}

// maxParked is how long a stream may wait before it makes room for others. By
// then its session's request should have overtaken it long ago.
const maxParked = 5 * time.Second

// park keeps a stream until its session is there, or refuses it (Section 4.6).
func (h *hub) park(t *quic.Turn, id uint64, s quic.StreamRef) {
	if len(h.parked) >= maxParkedStreams && !h.makeRoom(t) {
		refuse(t, s, codeBufferedStreamRejected)
		return
	}
	h.parked = append(h.parked, parkedStream{id: id, stream: s, since: t.Now()})
	t.Handle(s, nil)
}

// makeRoom refuses a parked stream that was reset or has waited too long. While
// there is room, those that were reset wait as well: their session should learn of
// their codes.
func (h *hub) makeRoom(t *quic.Turn) bool {
	i := slices.IndexFunc(h.parked, func(p parkedStream) bool {
		return wasReset(t, p.stream) || t.Now()-p.since >= maxParked
	})
	if i < 0 {
		return false
	}
	refuse(t, h.parked[i].stream, codeBufferedStreamRejected)
	h.parked = slices.Delete(h.parked, i, i+1)
	return true
}

// takeParked returns the streams that wait for a session.
func (h *hub) takeParked(id uint64) (streams []quic.StreamRef) {
	kept := h.parked[:0]
	for _, p := range h.parked {
		if p.id == id {
			streams = append(streams, p.stream)
		} else {
			kept = append(kept, p)
		}
	}
	clear(h.parked[len(kept):])
	h.parked = kept
	return streams
}

// wasReset reports whether the peer has reset a stream that nobody reads now.
func wasReset(t *quic.Turn, s quic.StreamRef) bool {
	_, err := t.Read(s, nil)
	return isCancelled(err)
}

// addSession begins a session.
func (h *hub) addSession(t *quic.Turn, s *Session) {
	if err := s.conn.Err(); err != nil {
		s.end(err)
		return
	}
	h.sessions[s.id] = s
	for _, stream := range h.takeParked(s.id) {
		s.addStream(t, stream)
	}
	s.tunnel.Serve(t, s)
}

// dropSession forgets a session that has ended.
func (h *hub) dropSession(id uint64) {
	delete(h.sessions, id)
	h.remember(id)
}

// remember notes that a session has ended, or will never be.
func (h *hub) remember(id uint64) {
	if len(h.gone) >= rememberedSessions {
		h.gone = append(h.gone[:0], h.gone[1:]...)
	}
	h.gone = append(h.gone, id)
}

// HandleRefused implements http3.ConnExtension: nothing needs to wait for the
// session any more.
func (h *hub) HandleRefused(t *quic.Turn, id uint64) {
	for _, stream := range h.takeParked(id) {
		refuse(t, stream, codeSessionGone)
	}
	h.remember(id)
}

// flowControlled reports whether sessions of a draft have flow control
// (Section 5.1). It may be called after settled is closed.
func (h *hub) flowControlled(d Draft) bool { return d.flowControl() && h.offer.limits }

// maxSessions returns how many sessions of a draft there may be at a time. It may be
// called after settled is closed.
func (h *hub) maxSessions(d Draft) int {
	if d.flowControl() && !h.offer.limits {
		return 1 // Section 5.1
	}
	return h.conf.maxSessions()
}
