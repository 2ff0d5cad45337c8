package webtransport

import (
	"context"

	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// AcceptStream waits for the next bidirectional stream of the peer's. The error is
// context.Cause(ctx) or, when no stream is left, the session's.
func (s *Session) AcceptStream(ctx context.Context) (*Stream, error) { return s.accept(ctx, wt.Bidi) }

// AcceptUniStream is AcceptStream for streams that only the peer sends on.
func (s *Session) AcceptUniStream(ctx context.Context) (*ReceiveStream, error) {
	st, err := s.accept(ctx, wt.Uni)
	if err != nil {
		return nil, err
	}
	return &st.ReceiveStream, nil
}

// accept waits for a stream of the peer's.
func (s *Session) accept(ctx context.Context, k wt.Kind) (*Stream, error) {
	for {
		st, ready, err := s.tryAccept(k)
		if err != nil {
			return nil, err
		}
		if st != nil {
			return st, nil
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// tryAccept returns the next stream or the error, or a channel to wait for.
func (s *Session) tryAccept(k wt.Kind) (*Stream, <-chan struct{}, error) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	if st := s.machine.Accept(k); st != nil {
		return st.App.(*Stream), nil, nil
	}
	if err := s.endedLocked(); err != nil {
		return nil, nil, err
	}
	return nil, s.incoming[k].wait(), nil
}

// OpenStream opens a bidirectional stream. It waits while the peer's limits allow
// none. Unlike in package quic, the peer learns of it at once, and not with the first Write:
// the stream's header leaves. The error is context.Cause(ctx), or the session's: see Context.
func (s *Session) OpenStream(ctx context.Context) (*Stream, error) {
	machine, qs, err := s.open(ctx, wt.Bidi)
	if err != nil {
		return nil, err
	}
	return newStream(s.hub, machine, qs), s.opened(machine, qs)
}

// OpenUniStream is OpenStream for a stream that only this end sends on.
func (s *Session) OpenUniStream(ctx context.Context) (*SendStream, error) {
	machine, qs, err := s.open(ctx, wt.Uni)
	if err != nil {
		return nil, err
	}
	st := &SendStream{half: half{s.hub, machine}, qs: &qs.SendStream}
	machine.App = st
	return st, s.opened(machine, qs)
}

// open opens a stream of QUIC's and writes the header that ties it to the session,
// which a reset must not lose (Section 4.4).
func (s *Session) open(ctx context.Context, k wt.Kind) (*wt.Stream, *quic.Stream, error) {
	// Whatever ctx is, the session's end ends the wait.
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })()
	machine, err := s.awaitOpen(ctx, k)
	if err != nil {
		return nil, nil, err
	}
	header := machine.AppendHeader(nil)
	ref, err := event.Open(ctx, s.conn, k == wt.Uni, func(t event.Turn, ref event.Stream) {
		_, _ = t.Write(ref, header) // its error is that of the next call
		ref.MarkReliable()
		t.Handle(ref, &streamEnds{s.hub, machine})
	})
	if err != nil {
		s.hub.tell(func(*wt.Conn) { machine.Abandon() })
		if ended := s.endedWith(); ended != nil {
			return nil, nil, ended
		}
		return nil, nil, err
	}
	return machine, ref.Detach(), nil
}

// awaitOpen waits until the session's limit of streams allows one more.
func (s *Session) awaitOpen(ctx context.Context, k wt.Kind) (machine *wt.Stream, err error) {
	var ready <-chan struct{}
	s.hub.tell(func(*wt.Conn) {
		machine = s.machine.Open(k)
		if may, _ := machine.MayOpen(); !may {
			w := new(waiter)
			machine.App, ready = w, w.wait()
		}
		err = s.endedLocked()
	})
	if ready != nil {
		select {
		case <-ready:
			err = s.endedWith()
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	if err != nil {
		s.hub.tell(func(*wt.Conn) { machine.Abandon() })
		return nil, err
	}
	return machine, nil
}

// opened tells the machine of an opened stream, which ends with the session from now
// on. The error is the session's, if that has ended already.
func (s *Session) opened(machine *wt.Stream, qs *quic.Stream) (err error) {
	s.hub.tell(func(*wt.Conn) {
		if err = machine.Opened(qs.ID()); err != nil {
			err = s.endedLocked()
		}
	})
	return err
}
