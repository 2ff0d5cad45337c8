package engine_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// newSlowServer returns a puppet client before a server whose handshake does nothing
// unless Work is called.
func newSlowServer(t *testing.T, options ...func(*puppet)) (*puppet, *sim.FakeTLS) {
	tls := &sim.FakeTLS{Side: wire.ServerSide, Slow: true}
	slow := func(p *puppet) { p.server.NewTLS = func() engine.TLS { return tls } }
	return newServer(t, append(options, slow)...), tls
}

// work does what is pending, and tells the connection.
func (p *puppet) work(tls *sim.FakeTLS) {
	p.t.Helper()
	tls.Work()
	p.conn.HandleHandshake(p.now)
	p.poll()
}

// While a step is pending, packets are acknowledged, and those that come too early
// kept; then the handshake goes on.
func TestPendingHandshake(t *testing.T) {
	p, tls := newSlowServer(t)
	p.start()
	s := &p.spaces[wire.InitialSpace]
	hello := s.toSend
	s.toSend, s.cryptoOut = nil, uint64(len(hello))
	p.send(wire.InitialSpace, crypto(0, hello[:10]))
	for range 3 { // again, and in other pieces
		p.send(wire.InitialSpace, crypto(0, hello[:20]))
		p.send(wire.InitialSpace, crypto(5, hello[5:]))
	}
	if !p.wasAcked(wire.InitialSpace, 0) || !p.wasAcked(wire.InitialSpace, 6) {
		t.Fatal("packets are not acknowledged while a step is pending")
	}
	if n := p.count(wire.FrameCrypto); n != 0 {
		t.Fatalf("%d CRYPTO frames were sent while the first step is pending", n)
	}
	p.conn.HandleHandshake(p.now) // nothing is done yet
	p.poll()
	if p.conn.HandshakeWaits() || !tls.Pending() {
		t.Fatal("the handshake goes on by itself")
	}
	p.work(tls) // the hello's first bytes
	p.work(tls) // the rest
	for range 4 {
		p.flush()
		p.work(tls)
	}
	if !p.established() || !p.shook {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
}

// What comes after the first step, before it is done, counts against the bound on
// handshake bytes.
func TestPendingHandshakeBound(t *testing.T) {
	p, _ := newSlowServer(t)
	p.start()
	at, piece := uint64(0), make([]byte, 1000)
	for p.conn == nil || p.conn.Closed() == nil {
		p.send(wire.InitialSpace, crypto(at, piece))
		at += uint64(len(piece))
		if n := p.conn.Held().CryptoBytes; n > engine.MaxInitialCryptoBuffer || at > 10*engine.MaxInitialCryptoBuffer {
			t.Fatalf("%d bytes are kept of %d", n, at)
		}
	}
	p.wantClose(wire.CryptoBufferExceeded)
	p.wantForgotten()
}

// A handshake that is pending for too long ends on time, and is told; what it comes
// to later does nothing.
func TestPendingHandshakeTimeout(t *testing.T) {
	p, tls := newSlowServer(t)
	p.start()
	p.flush()
	began := p.now
	end := p.endsAt()
	var timeout *engine.HandshakeTimeoutError
	if !errors.As(p.conn.Closed(), &timeout) || end.Sub(began) != p.config.HandshakeTimeout {
		t.Fatalf("ended with %v after %v", p.conn.Closed(), end.Sub(began))
	}
	if !tls.Closed() {
		t.Error("the handshake is not told of the end")
	}
	p.work(tls)
	p.wantForgotten()
}

// Both sides can close while a step is pending.
func TestPendingHandshakeClose(t *testing.T) {
	for _, peer := range []bool{false, true} {
		p, tls := newSlowServer(t)
		p.start()
		p.flush()
		if peer {
			p.send(wire.InitialSpace, connClose(0))
		} else {
			p.conn.Close(p.now, 7, "nobody's business")
			p.poll()
			p.want(connClose(uint64(wire.ApplicationError))) // RFC 9000, Section 10.2.3: and no reason
		}
		if !tls.Closed() {
			t.Error("the handshake is not told of the end")
		}
		p.work(tls)
		p.advance(time.Minute)
		p.wantForgotten()
	}
}

// A step that fails ends the connection with its alert.
func TestPendingHandshakeFails(t *testing.T) {
	p, tls := newSlowServer(t)
	p.start()
	p.send(wire.InitialSpace, crypto(0, []byte{99, 0, 0}))
	p.work(tls)
	p.wantClose(wire.CryptoErrorBase + 10)
}

// eagerTLS has a secret at once, which nobody can use.
type eagerTLS struct {
	*sim.FakeTLS
	told bool
}

func (e *eagerTLS) NextEvent() engine.TLSEvent {
	if e.told {
		return e.FakeTLS.NextEvent()
	}
	e.told = true
	return engine.TLSEvent{Kind: engine.TLSWriteSecret, Level: wire.HandshakeLevel, Suite: 1, Data: make([]byte, 32)}
}

// A client whose handshake fails as it begins ends with that error.
func TestHandshakeFailsAtOnce(t *testing.T) {
	p := newClient(t)
	p.conn, _ = p.endpoint.Dial(p.now, p.path, p.config, &eagerTLS{FakeTLS: &sim.FakeTLS{Side: wire.ClientSide}})
	p.poll()
	p.wantClosedWith(wire.InternalError)
	p.wantForgotten()
}

// A client's step may be pending, too; 1-RTT packets that come meanwhile are kept.
func TestPendingHandshakeClient(t *testing.T) {
	p := newClient(t)
	tls := &sim.FakeTLS{Side: wire.ClientSide, Slow: true}
	p.conn, _ = p.endpoint.Dial(p.now, p.path, p.config, tls)
	p.poll()
	for range 4 {
		p.flush()
		if p.keys.CanWrite() && !p.established() {
			p.send(wire.AppSpace, stream(3, 0, "early", true))
		}
		p.work(tls)
	}
	if !p.established() || !p.shook {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
	if !slices.ContainsFunc(p.events, func(e engine.Event) bool { return e.Kind == engine.EventStreamOpened }) {
		t.Error("a packet that came early was lost")
	}
}

// An endpoint that is told to defer handshakes takes no step unless asked, which
// makes no difference to what it says.
func TestDeferredHandshake(t *testing.T) {
	p := newServer(t)
	p.endpoint = engine.NewEndpoint(engine.EndpointConfig{DeferHandshakes: true})
	p.endpoint.SetServer(p.server)
	p.start()
	steps := 0
	for range 4 {
		p.flush()
		if !p.conn.HandshakeWaits() {
			continue
		}
		steps++
		if p.conn.AddressValidated() != (steps > 1) {
			t.Errorf("step %d: the address is validated: %v", steps, p.conn.AddressValidated())
		}
		if p.count(wire.FrameCrypto) != 0 || p.established() {
			t.Fatal("a step was taken unasked")
		}
		p.conn.HandleHandshake(p.now)
		p.poll()
		p.frames = nil
	}
	if !p.established() || !p.shook || steps != 2 {
		t.Fatalf("the handshake does not complete within %d steps: %v", steps, p.conn.Closed())
	}
}
