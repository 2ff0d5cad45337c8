package webtransport

import (
	"context"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// openStream is what a session knows of a stream: the halves that are not over.
type openStream struct {
	receive *ReceiveStream
	send    *SendStream
}

func (o openStream) end() {
	if o.receive != nil {
		o.receive.sessionEnded()
	}
	if o.send != nil {
		o.send.sessionEnded()
	}
}

// AcceptStream waits for the next bidirectional stream of the peer's. The error is
// the cause of ctx's end or, when no stream is left, the session's.
func (s *Session) AcceptStream(ctx context.Context) (*Stream, error) {
	return s.bidi.Pop(ctx)
}

// AcceptUniStream is AcceptStream for streams that only the peer sends on.
func (s *Session) AcceptUniStream(ctx context.Context) (*ReceiveStream, error) {
	return s.uni.Pop(ctx)
}

// OpenStream opens a bidirectional stream. It waits while the peer's limits allow
// none. The peer learns of it at once.
func (s *Session) OpenStream(ctx context.Context) (*Stream, error) {
	qs, err := s.open(ctx, bidi)
	if err != nil {
		return nil, err
	}
	st := s.newStream(qs)
	return st, s.register(qs.ID(), openStream{&st.ReceiveStream, &st.SendStream})
}

// OpenUniStream is OpenStream for a stream that only this end sends on.
func (s *Session) OpenUniStream(ctx context.Context) (*SendStream, error) {
	qs, err := s.open(ctx, uni)
	if err != nil {
		return nil, err
	}
	st := &SendStream{session: s, qs: &qs.SendStream, lateEnd: s.draft == Draft02 && s.hub.conn.IsServer()}
	return st, s.register(qs.ID(), openStream{send: st})
}

func (s *Session) newStream(qs *quic.Stream) *Stream {
	return &Stream{ReceiveStream{session: s, qs: &qs.ReceiveStream}, SendStream{session: s, qs: &qs.SendStream}}
}

// open opens a stream of QUIC's and writes the header that ties it to the session,
// which a reset must not lose (Section 4.4).
func (s *Session) open(ctx context.Context, k kind) (*quic.Stream, error) {
	// Whatever ctx is, the session's end ends the wait.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })()
	if err := s.awaitOpen(ctx, k); err != nil {
		return nil, err
	}
	header := []byte{0x40, signalBidi}
	if k == uni {
		header = []byte{0x40, streamTypeUni}
	}
	header = wire.AppendVarint(header, s.id)
	qs, err := s.conn.OpenWith(ctx, quic.Opening{Uni: k == uni, Begin: func(t *quic.Turn, qs quic.StreamRef) {
		_, _ = t.Write(qs, header) // its error is that of the next call
		t.MarkReliable(qs)
		t.Handle(qs, &streamEnds{session: s})
	}})
	if err != nil {
		if s.flow != nil {
			s.flow.giveBack(k, 1)
		}
		if ended := s.endedWith(); ended != nil {
			return nil, ended
		}
		return nil, err
	}
	return qs, nil
}

// awaitOpen waits until the session's limit of streams allows one more.
func (s *Session) awaitOpen(ctx context.Context, k kind) error {
	if s.flow == nil {
		return s.endedWith()
	}
	if _, wait := s.flow.take(k, 1); wait != nil {
		select {
		case <-wait.ready:
		case <-ctx.Done():
			s.flow.giveUp(k, wait)
			return context.Cause(ctx)
		}
	}
	return s.endedWith()
}

// register makes the stream end with the session. The error is the session's, if
// that has ended already.
func (s *Session) register(id uint64, open openStream) error {
	s.mu.Lock()
	err := s.err
	if err == nil {
		s.streams[id] = open
	}
	s.mu.Unlock()
	if err != nil {
		open.end()
	}
	return err
}

// receiveOver and sendOver note that a half is over.
func (s *Session) receiveOver(id uint64) {
	s.halfOver(id, func(o *openStream) { o.receive = nil })
}

func (s *Session) sendOver(id uint64) { s.halfOver(id, func(o *openStream) { o.send = nil }) }

func (s *Session) halfOver(id uint64, drop func(*openStream)) {
	s.mu.Lock()
	open, ok := s.streams[id]
	drop(&open)
	over := ok && open == openStream{}
	if over {
		delete(s.streams, id)
	} else if ok {
		s.streams[id] = open
	}
	s.mu.Unlock()
	if over && s.flow != nil && s.isPeers(id) {
		s.flow.done(kindOf(id), 1)
	}
}

// isPeers reports whether the peer opened a stream (RFC 9000, Section 2.1).
func (s *Session) isPeers(id uint64) bool { return (id&1 == 0) == s.hub.conn.IsServer() }

func kindOf(id uint64) kind { return kind(id >> 1 & 1) }

// addStream takes a stream of the peer's. On the loop.
func (s *Session) addStream(t *quic.Turn, qs quic.StreamRef) {
	s.received()
	k := kindOf(qs.ID())
	if s.flow != nil && !s.flow.accept(k) {
		refuse(t, qs, codeFlowControl)
		s.fail(flowError("more streams in the session than allowed")) // Section 5.6.2
		return
	}
	t.Handle(qs, nil)
	st := s.newStream(qs.Detach())
	open := openStream{receive: &st.ReceiveStream}
	if k == bidi {
		open.send = &st.SendStream
	}
	if s.register(qs.ID(), open) != nil {
		return // it has been refused
	}
	queued := false
	if k == bidi {
		queued = s.bidi.PushUpTo(st, maxQueuedStreams)
	} else {
		queued = s.uni.PushUpTo(&st.ReceiveStream, maxQueuedStreams)
	}
	if !queued {
		refuse(t, qs, codeBufferedStreamRejected)
		open.over()
	}
	t.Handle(qs, &streamEnds{session: s, receive: &st.ReceiveStream})
}

func (o openStream) over() {
	if o.receive != nil {
		o.receive.giveUp()
	}
	if o.send != nil {
		o.send.over()
	}
}

// streamEnds is told how a stream of a session ends.
type streamEnds struct {
	noEvents
	session *Session
	receive *ReceiveStream // nil for one that this end opened
}

// HandleEnd counts what the peer has sent and nobody will read, and takes back what this
// end has written and the peer will not get: so both ends agree on how much of the
// session's limit is used (Section 5.4 of draft 15).
//
// And it forgets a unidirectional stream that was reset when many wait to be accepted:
// as it does not count for QUIC any more, a peer could open any number of them. Others
// are worth being accepted, and are bounded.
func (e *streamEnds) HandleEnd(_ *quic.Turn, qs quic.StreamRef, end quic.End) {
	s := e.session
	switch end.Kind {
	case quic.SendingCut:
		if s.flow != nil {
			s.flow.giveBack(data, end.Lost)
		}
	case quic.ReceivingCut:
		s.consumed(end.Lost)
		if r := e.receive; r != nil && kindOf(qs.ID()) == uni && s.uni.RemoveBeyond(r, maxQueuedResets) {
			r.giveUp()
		}
	}
}
