package sim

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// FakeTLS has the flights of a TLS 1.3 handshake and none of its security:
// secrets everybody can compute, no certificates, the same bytes every time.
// It makes thousands of handshakes cheap and their replay exact.
//
// Each message is a type, a two-byte length and a body:
//
//	client  hello(parameters), or one with early data                    Initial
//	server  hello                                                        Initial
//	        parameters(parameters, filler like a certificate chain),
//	        or accepted, the same with early data                        Handshake
//	client  finished                                                     Handshake
//	server  ticket                                                       1-RTT
type FakeTLS struct {
	Side   wire.Side
	Suite  protect.Suite // default AES-128-GCM
	Filler int           // bytes in place of a certificate chain
	// Slow makes every call of HandleData pending until Work is called, as with
	// callbacks that ask others.
	Slow bool
	// Early is what a client remembers of the server's parameters, and sends early data
	// with; nil for none. A server accepts early data if AcceptEarly is set.
	Early       *wire.TransportParameters
	AcceptEarly bool

	events []engine.TLSEvent
	in     [wire.NumLevels][]byte
	closed bool
	early  bool // a server's client sends early data

	pending, worked bool // HandleData was called and not finished; Work was called
	err             error
}

const (
	fakeHello byte = iota + 1
	fakeParameters
	fakeFinished
	fakeTicket
	fakeEarlyHello
	fakeAccepted
)

var errFakeTLS = errors.New("fake handshake: unexpected message")

// Start implements engine.TLS.
func (f *FakeTLS) Start(_ wire.Version, params []byte) error {
	if f.Suite == 0 {
		f.Suite = protect.AES128GCM
	}
	if f.Side == wire.ClientSide {
		f.events = nil
		f.clientHello(params)
	} else {
		f.serverFlight(params)
	}
	return nil
}

func (f *FakeTLS) clientHello(params []byte) {
	if f.Early == nil {
		f.write(wire.InitialLevel, fakeHello, params)
		return
	}
	f.write(wire.InitialLevel, fakeEarlyHello, params)
	f.events = append(f.events, engine.TLSEvent{
		Kind: engine.TLSEarlyParameters, Data: wire.AppendTransportParameters(nil, f.Early),
	})
	f.secret(engine.TLSWriteSecret, wire.ZeroRTTLevel)
}

// SetVersion implements engine.TLS.
func (f *FakeTLS) SetVersion(wire.Version) {}

// serverFlight follows the client's hello.
func (f *FakeTLS) serverFlight(params []byte) {
	f.write(wire.InitialLevel, fakeHello, nil)
	answer := fakeParameters
	if f.early && f.AcceptEarly {
		answer = fakeAccepted
		f.secret(engine.TLSReadSecret, wire.ZeroRTTLevel)
	}
	f.secret(engine.TLSWriteSecret, wire.HandshakeLevel)
	f.secret(engine.TLSReadSecret, wire.HandshakeLevel)
	body := binary.BigEndian.AppendUint16(nil, uint16(len(params)))
	body = append(body, params...)
	f.write(wire.HandshakeLevel, answer, append(body, make([]byte, f.Filler)...))
	f.secret(engine.TLSWriteSecret, wire.OneRTTLevel)
}

// HandleData implements engine.TLS.
func (f *FakeTLS) HandleData(level wire.Level, data []byte) error {
	f.in[level] = append(f.in[level], data...)
	if f.Slow {
		f.pending, f.worked = true, false
		return nil
	}
	return f.handleMessages(level)
}

// Pending implements engine.TLS.
func (f *FakeTLS) Pending() bool { return f.pending }

// Work does what is pending, for Finish to tell of.
func (f *FakeTLS) Work() {
	if !f.pending || f.worked {
		return
	}
	f.worked = true
	for level := range f.in {
		if f.err == nil {
			f.err = f.handleMessages(wire.Level(level))
		}
	}
}

// Finish implements engine.TLS.
func (f *FakeTLS) Finish() (done bool, err error) {
	if f.worked {
		f.pending, f.worked = false, false
		return true, f.err
	}
	return false, nil
}

func (f *FakeTLS) handleMessages(level wire.Level) error {
	for {
		b := f.in[level]
		if len(b) < 3 {
			return nil
		}
		n := 3 + int(binary.BigEndian.Uint16(b[1:]))
		if len(b) < n {
			return nil
		}
		f.in[level] = b[n:]
		if err := f.handleMessage(level, b[0], b[3:n]); err != nil {
			return err
		}
	}
}

func (f *FakeTLS) handleMessage(level wire.Level, kind byte, body []byte) error {
	client := f.Side == wire.ClientSide
	switch {
	case !client && (kind == fakeHello || kind == fakeEarlyHello) && level == wire.InitialLevel:
		f.early = kind == fakeEarlyHello
		f.events = append(f.events,
			engine.TLSEvent{Kind: engine.TLSPeerParameters, Data: body},
			engine.TLSEvent{Kind: engine.TLSNeedParameters})
	case client && kind == fakeHello && level == wire.InitialLevel:
		f.secret(engine.TLSReadSecret, wire.HandshakeLevel)
		f.secret(engine.TLSWriteSecret, wire.HandshakeLevel)
	case client && (kind == fakeParameters || kind == fakeAccepted) && level == wire.HandshakeLevel && len(body) >= 2:
		if f.Early != nil && kind == fakeParameters {
			f.events = append(f.events, engine.TLSEvent{Kind: engine.TLSEarlyRejected})
		}
		n := min(int(binary.BigEndian.Uint16(body)), len(body)-2)
		f.events = append(f.events, engine.TLSEvent{Kind: engine.TLSPeerParameters, Data: body[2 : 2+n]})
		f.write(wire.HandshakeLevel, fakeFinished, nil)
		f.finish(engine.TLSWriteSecret, engine.TLSReadSecret)
	case !client && kind == fakeFinished && level == wire.HandshakeLevel:
		f.finish(engine.TLSReadSecret)
	case client && kind == fakeTicket && level == wire.OneRTTLevel:
	default:
		return &engine.TLSAlert{Code: 10, Err: errFakeTLS}
	}
	return nil
}

func (f *FakeTLS) finish(secrets ...engine.TLSEventKind) {
	for _, kind := range secrets {
		f.secret(kind, wire.OneRTTLevel)
	}
	f.events = append(f.events, engine.TLSEvent{Kind: engine.TLSHandshakeDone})
}

func (f *FakeTLS) write(level wire.Level, kind byte, body []byte) {
	b := append([]byte{kind}, byte(len(body)>>8), byte(len(body)))
	f.events = append(f.events, engine.TLSEvent{Kind: engine.TLSWriteData, Level: level, Data: append(b, body...)})
}

// secret tells the engine the secret of a direction and level.
func (f *FakeTLS) secret(kind engine.TLSEventKind, level wire.Level) {
	sender := f.Side
	if kind == engine.TLSReadSecret {
		sender = sender.Peer()
	}
	sum := sha256.Sum256([]byte{'s', byte(sender), byte(level)})
	f.events = append(f.events, engine.TLSEvent{Kind: kind, Level: level, Suite: f.Suite, Data: sum[:]})
}

// NextEvent implements engine.TLS.
func (f *FakeTLS) NextEvent() engine.TLSEvent {
	if f.pending || len(f.events) == 0 {
		return engine.TLSEvent{}
	}
	e := f.events[0]
	f.events = f.events[1:]
	return e
}

// SendSessionTicket implements engine.TLS.
func (f *FakeTLS) SendSessionTicket() error {
	f.write(wire.OneRTTLevel, fakeTicket, make([]byte, 200))
	return nil
}

// Close implements engine.TLS.
func (f *FakeTLS) Close() { f.closed = true }

// Closed reports whether Close was called.
func (f *FakeTLS) Closed() bool { return f.closed }
