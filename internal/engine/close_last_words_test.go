package engine_test

import (
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// sayAndClose writes size bytes to a new stream of the endpoint and closes the
// connection.
func (p *puppet) sayAndClose(size int) {
	p.t.Helper()
	s, err := p.conn.OpenStream(true)
	if err != nil {
		p.fatal("%v", err)
	}
	if n, err := s.Send.WriteLast(make([]byte, size)); n != size || err != nil {
		p.fatal("%d bytes written: %v", n, err)
	}
	p.conn.StreamWritten(s)
	p.conn.CloseAfterSending(p.now, 7, "")
	p.conn.CloseAfterSending(p.now, 8, "again") // which does nothing
	if _, err := p.conn.OpenStream(true); !errors.Is(err, engine.ErrClosed) {
		p.fatal("opening a stream after the close: %v", err)
	}
	p.poll()
}

// What was written before a close leaves before CONNECTION_CLOSE.
func TestCloseLastWords(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		p.sayAndClose(100)
		if f, _ := p.next(); len(f.stream().Data) != 100 || !f.stream().Fin {
			t.Errorf("%v: %d bytes of the stream", side, len(f.stream().Data))
		}
		p.want(appClose(7))
		p.silence()
		if !slices.ContainsFunc(p.events, func(e engine.Event) bool { return e.Kind == engine.EventClosed }) {
			t.Errorf("%v: the application is not told", side)
		}
		p.wantForgotten()
	}
}

// Of very much only what may be sent at once leaves.
func TestCloseLastWordsBounded(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.sayAndClose(100_000)
	sent := 0
	for f, ok := p.next(); ok; f, ok = p.next() {
		switch f.kind() {
		case wire.FrameConnectionCloseApp:
			if sent < 5000 || sent > 20_000 {
				t.Errorf("%d bytes were sent before the close, want a window", sent)
			}
			p.silence()
			return
		default:
			sent += len(f.stream().Data)
		}
	}
	t.Fatal("not closed when the window is full")
}

// A connection that is about to close takes nothing any more.
func TestCloseLastWordsDeaf(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.conn.CloseAfterSending(p.now, 7, "")
	p.queue(wire.AppSpace, stream(2, 0, "too late", true))
	p.poll()
	p.want(appClose(7))
	if slices.ContainsFunc(p.events, func(e engine.Event) bool { return e.Kind == engine.EventStreamOpened }) {
		t.Error("a stream was opened after the close")
	}
}

// A server that closes before the handshake is confirmed says so in a Handshake packet, which
// must not show the application's error, and in a 1-RTT packet behind it, which does
// (RFC 9000, Section 10.2.3). A client that can open both believes the latter.
func TestCloseBeforeConfirmed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		behind func(*puppet) []byte
		want   error
	}{
		{"with the reason", func(p *puppet) []byte { return p.packet(wire.AppSpace, appClose(7)) },
			&engine.ApplicationError{Code: 7, Remote: true}},
		{"without", func(*puppet) []byte { return nil },
			&engine.TransportError{Code: wire.ApplicationError, Remote: true}},
		{"with something else", func(p *puppet) []byte { return p.packet(wire.AppSpace, ping(), padding(20)) },
			&engine.TransportError{Code: wire.ApplicationError, Remote: true}},
		{"with the handshake's confirmation", func(p *puppet) []byte { return p.packet(wire.AppSpace, handshakeDone(), padding(20)) },
			&engine.TransportError{Code: wire.ApplicationError, Remote: true}},
		{"with both", func(p *puppet) []byte { return p.packet(wire.AppSpace, handshakeDone(), appClose(7)) },
			&engine.ApplicationError{Code: 7, Remote: true}},
	} {
		p := newClient(t)
		p.start()
		for !p.established() {
			p.flush()
		}
		p.raw(append(p.packet(wire.HandshakeSpace, connClose(uint64(wire.ApplicationError))), tt.behind(p)...))
		if err := p.conn.Closed(); !reflect.DeepEqual(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}
