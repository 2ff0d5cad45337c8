package engine_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

const v1, v2 = wire.Version1, wire.Version2

// having makes the endpoint one that has these versions, the preferred ones first.
func having(versions ...wire.Version) func(*puppet) {
	return func(p *puppet) { p.config.Versions = versions }
}

// sayVersions makes the puppet say of versions what a test wants.
func (p *puppet) sayVersions(chosen wire.Version, available ...wire.Version) {
	p.editTP = func(tp *wire.TransportParameters) {
		tp.VersionInformation = &wire.VersionInformation{Chosen: chosen, Available: available}
	}
}

// speak makes the puppet go on with a version, as a server that chose it or a client
// that learned of it.
func (p *puppet) speak(v wire.Version, dst wire.ConnectionID) {
	p.version = v
	p.initialKeys(dst)
}

// shakeHands goes through the handshake as far as it gets.
func (p *puppet) shakeHands() {
	p.t.Helper()
	for range 4 {
		p.flush()
	}
}

// What a server makes of what a client says of versions.
func TestServerVersions(t *testing.T) {
	tests := []struct {
		name      string
		begin     wire.Version // of the client's packets
		chosen    wire.Version
		available []wire.Version // nil: nothing is said
		want      wire.Version   // that both end with
		err       wire.ErrorCode
	}{
		{"nothing is said", v1, 0, nil, v1, 0},
		{"nothing is said of version 2", v2, 0, nil, v2, 0},
		{"one", v1, v1, []wire.Version{v1}, v1, 0},
		{"the same is preferred", v1, v1, []wire.Version{v1, v2}, v1, 0},
		{"another is preferred", v1, v1, []wire.Version{v2, v1}, v2, 0},
		{"version 1 is preferred", v2, v2, []wire.Version{v1, v2}, v1, 0},
		{"unknown ones are preferred", v1, v1, []wire.Version{unknownVersion, 77, v2, v1}, v2, 0},
		{"all unknown but one", v1, v1, append(slices.Repeat([]wire.Version{unknownVersion}, 200), v1), v1, 0},
		{"repeated", v1, v1, []wire.Version{v1, v1, v1, v2}, v1, 0},
		{"another than that of the packets", v1, v2, []wire.Version{v2, v1}, 0, wire.VersionNegotiationError},
		{"a reserved one", v1, unknownVersion, []wire.Version{unknownVersion, v1}, 0, wire.VersionNegotiationError},
		{"chosen but not available", v1, v1, []wire.Version{v2}, 0, wire.TransportParameterError},
		{"zero", v1, v1, []wire.Version{v1, 0}, 0, wire.TransportParameterError},
		{"zero chosen", v1, 0, []wire.Version{v1, 0}, 0, wire.TransportParameterError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t)
			p.version = tt.begin
			if tt.available != nil {
				p.sayVersions(tt.chosen, tt.available...)
			}
			p.start()
			hello := p.spaces[wire.InitialSpace].toSend
			p.spaces[wire.InitialSpace].toSend = nil
			half := len(hello) / 2
			p.send(wire.InitialSpace, crypto(0, hello[:half]))
			if len(p.versions) != 1 || p.versions[0] != tt.begin {
				t.Fatalf("the first half is acknowledged in packets of %v", p.versions) // RFC 9369, Section 4.1
			}
			p.versions = nil
			if tt.err != 0 {
				p.send(wire.InitialSpace, crypto(uint64(half), hello[half:]))
				p.wantClose(tt.err)
				p.wantForgotten()
				return
			}
			// The client learns with these packets, whose keys FakeTLS hands over while they
			// are read.
			first := p.packet(wire.InitialSpace, crypto(uint64(half), hello[half:]))
			p.speak(tt.want, p.original)
			p.raw(first)
			p.spaces[wire.InitialSpace].cryptoOut = uint64(len(hello))
			if len(p.versions) == 0 || slices.ContainsFunc(p.versions, func(v wire.Version) bool { return v != tt.want }) {
				t.Fatalf("answers are of versions %v, want %v", p.versions, tt.want)
			}
			// Initial packets of the original version are taken yet (RFC 9369, Section 4.1).
			p.speak(tt.begin, p.original)
			late := p.packet(wire.InitialSpace, ping())
			p.speak(tt.want, p.original)
			p.raw(late)
			p.send(wire.InitialSpace, ping())
			for pn := range wire.PacketNumber(4) {
				if !p.wasAcked(wire.InitialSpace, pn) {
					t.Errorf("Initial packet %d is not acknowledged", pn)
				}
			}
			p.shakeHands()
			if !p.shook || !p.established() || p.conn.Stats().Version != tt.want {
				t.Fatalf("the handshake does not complete: %v, %v", p.conn.Closed(), p.conn.Stats().Version)
			}
			info := p.peer.VersionInformation
			if info == nil || info.Chosen != tt.want || !slices.Contains(info.Available, v1) || !slices.Contains(info.Available, v2) ||
				len(info.Available) != 3 || !slices.ContainsFunc(info.Available, wire.Version.Reserved) {
				t.Errorf("the server says %+v", info)
			}
		})
	}
}

// After it has changed the version, a server takes only Initial packets of the other
// one, and none once the handshake is complete.
func TestServerDropsOriginalVersion(t *testing.T) {
	p := newServer(t)
	p.sayVersions(v1, v2, v1)
	p.start()
	hello := p.packet(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	p.spaces[wire.InitialSpace].toSend = nil
	p.speak(v2, p.original)
	p.raw(hello)
	dropped := p.conn.Stats().Undecryptable
	p.version = v1
	p.send(wire.HandshakeSpace, ping()) // sealed with keys of version 2, but says 1
	if p.wasAcked(wire.HandshakeSpace, 0) || p.conn.Stats().Undecryptable != dropped {
		t.Error("a Handshake packet of the original version was looked at")
	}
	p.speak(v2, p.original)
	p.shakeHands()
	if !p.shook || !p.established() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
	sent := p.sent
	p.speak(v1, p.original)
	p.send(wire.InitialSpace, ping())
	if p.sent != sent {
		t.Error("an Initial packet is answered after the handshake")
	}
	p.wantOpen()
}

// What a client makes of what a server says and does.
func TestClientVersions(t *testing.T) {
	tests := []struct {
		name   string
		option func(*puppet)
		answer wire.Version // of the server's packets
		say    func(*puppet)
		err    wire.ErrorCode
	}{
		{"nothing is said", having(v1, v2), v1, nil, 0},
		{"the original one", having(v2, v1), v1, func(p *puppet) { p.sayVersions(v1, v1, v2) }, 0},
		{"changed", having(v1, v2), v2, func(p *puppet) { p.sayVersions(v2, v1, v2) }, 0},
		{"changed, none available", having(v1, v2), v2, func(p *puppet) { p.sayVersions(v2) }, 0},
		{"changed, nothing is said", having(v1, v2), v2, nil, wire.VersionNegotiationError},
		{"changed, and it says not", having(v1, v2), v2, func(p *puppet) { p.sayVersions(v1, v1, v2) }, wire.VersionNegotiationError},
		{"not changed, and it says so", having(v1, v2), v1, func(p *puppet) { p.sayVersions(v2, v1, v2) }, wire.VersionNegotiationError},
		{"one that the client has not", having(v1, v2), v1, func(p *puppet) { p.sayVersions(unknownVersion, v1) }, wire.VersionNegotiationError},
		{"malformed", having(v1, v2), v1, func(p *puppet) { p.extraTP = rawParam(0x11, []byte{0, 0, 0, 1, 0}) }, wire.TransportParameterError},
		{"repeated", having(v1, v2), v1, func(p *puppet) {
			p.sayVersions(v1, v1)
			p.extraTP = rawParam(0x11, []byte{0, 0, 0, 1})
		}, wire.TransportParameterError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newClient(t, tt.option)
			p.version = tt.answer
			if tt.say != nil {
				tt.say(p)
			}
			p.start()
			if info := p.peer.VersionInformation; info == nil || info.Chosen != v1 || len(info.Available) != 3 ||
				!slices.ContainsFunc(info.Available, wire.Version.Reserved) ||
				!slices.Equal(slices.DeleteFunc(slices.Clone(info.Available), wire.Version.Reserved), p.config.Versions) {
				t.Fatalf("the client says %+v", p.peer.VersionInformation)
			}
			p.shakeHands()
			if tt.err != 0 {
				p.wantClosedWith(tt.err)
				p.wantForgotten()
				return
			}
			if !p.shook || !p.established() || p.conn.Stats().Version != tt.answer {
				t.Fatalf("the handshake does not complete: %v, %v", p.conn.Closed(), p.conn.Stats().Version)
			}
			if last := p.versions[len(p.versions)-1]; last != tt.answer {
				t.Errorf("the client's last packet with a long header is of %v", last)
			}
		})
	}
}

// Attack: packets of another version that come from nowhere. What does not open, or is
// of a version that the client has not, changes nothing, and neither does anything after
// the server's first handshake bytes.
func TestAttackOtherVersion(t *testing.T) {
	spoil := func(b []byte) []byte {
		b[len(b)-1] ^= 1
		return b
	}
	for name, attack := range map[string]func(p *puppet){
		"one that the client has not": func(p *puppet) {
			p.raw(longPacket(unknownVersion, string(p.remote.Bytes()), "", 1200))
		},
		"does not open": func(p *puppet) {
			p.speak(v2, p.original)
			p.raw(spoil(p.packet(wire.InitialSpace, ping())))
		},
		"a Handshake packet": func(p *puppet) { p.raw(longPacket(v2, string(p.remote.Bytes()), "", 1200)) },
		"after handshake bytes": func(p *puppet) {
			s := &p.spaces[wire.InitialSpace]
			p.send(wire.InitialSpace, crypto(0, s.toSend[:1]))
			s.toSend, s.cryptoOut = s.toSend[1:], 1
			p.speak(v2, p.original)
			p.send(wire.InitialSpace, ping())
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newClient(t)
			p.start()
			attack(p)
			p.speak(v1, p.original)
			p.shakeHands()
			if !p.shook || !p.established() || p.conn.Stats().Version != v1 {
				t.Fatalf("the handshake does not complete: %v, %v", p.conn.Closed(), p.conn.Stats().Version)
			}
		})
	}
}

// The version changes with a packet that only acknowledges, and not back; a Handshake
// packet that comes first is kept.
func TestVersionChangesOnce(t *testing.T) {
	p := newClient(t)
	p.version = v2
	p.sayVersions(v2, v1, v2)
	p.start()
	early := longPacket(v2, string(p.remote.Bytes()), "", 100)
	early[0] = 0xf0 // Handshake
	p.raw(early)
	if p.conn.Held().EarlyPackets == 0 {
		t.Error("a Handshake packet that came first is not kept")
	}
	p.send(wire.InitialSpace, p.ackFrame(wire.InitialSpace))
	if v := p.conn.Stats().Version; v != v2 {
		t.Fatalf("the version is %v", v)
	}
	p.speak(v1, p.original)
	p.send(wire.InitialSpace, ping())
	if v := p.conn.Stats().Version; v != v2 {
		t.Fatalf("the version is %v again", v)
	}
	p.speak(v2, p.original)
	p.shakeHands()
	if !p.shook || !p.established() {
		t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
	}
}

// A client that is told of other versions begins anew with the best of them, takes no
// second advice, and makes sure that the first was honest (RFC 9368, Section 4).
func TestVersionNegotiation(t *testing.T) {
	tests := []struct {
		name    string
		ours    []wire.Version
		first   wire.Version
		offered []wire.Version
		second  wire.Version
		say     func(*puppet)
		err     wire.ErrorCode
	}{
		{"version 2", []wire.Version{v1, v2}, v1, []wire.Version{unknownVersion, v2}, v2, func(p *puppet) { p.sayVersions(v2, v2) }, 0},
		{"version 1", []wire.Version{v2, v1}, v2, []wire.Version{v1}, v1, func(p *puppet) { p.sayVersions(v1, v1) }, 0},
		{"version 1, nothing is said", []wire.Version{v2, v1}, v2, []wire.Version{v1}, v1, nil, 0}, // Section 8
		{"version 2, nothing is said", []wire.Version{v1, v2}, v1, []wire.Version{v2}, v2, nil, wire.VersionNegotiationError},
		{"no version available", []wire.Version{v1, v2}, v1, []wire.Version{v2}, v2, func(p *puppet) { p.sayVersions(v2) }, wire.VersionNegotiationError},
		{"another than chosen", []wire.Version{v1, v2}, v1, []wire.Version{v2}, v2, func(p *puppet) { p.sayVersions(v1, v2) }, wire.VersionNegotiationError},
		{"a downgrade", []wire.Version{v2, v1}, v2, []wire.Version{v1}, v1, func(p *puppet) { p.sayVersions(v1, v1, v2) }, wire.VersionNegotiationError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newClient(t, func(p *puppet) { p.config.Versions, p.config.OriginalVersion = tt.ours, tt.first })
			p.version = tt.first
			if tt.say != nil {
				tt.say(p)
			}
			p.start()
			began := p.now
			p.advance(100 * time.Millisecond)
			original, own := p.original, p.remote
			p.forgetHandshake(tt.second)
			p.raw(p.versionNegotiation(own, original, tt.offered...))
			if p.original == original || p.conn.Stats().Version != tt.second {
				t.Fatalf("no second attempt: to %v with %v", p.original, p.conn.Stats().Version)
			}
			// The second attempt takes no advice.
			p.raw(p.versionNegotiation(own, p.original, unknownVersion, tt.first))
			if p.conn.Stats().Version != tt.second {
				t.Fatal("a third attempt was made")
			}
			p.shakeHands()
			if tt.err != 0 {
				p.wantClosedWith(tt.err)
				p.wantForgotten()
				return
			}
			if !p.shook || !p.established() {
				t.Fatalf("the handshake does not complete: %v", p.conn.Closed())
			}
			if p.now.Sub(began) > time.Second {
				t.Errorf("the handshake took %v", p.now.Sub(began))
			}
		})
	}
}

// Both attempts together may take as long as a handshake may.
func TestSecondAttemptTimeout(t *testing.T) {
	p := newClient(t)
	p.start()
	began := p.now
	p.advance(5 * time.Second)
	original, own := p.original, p.remote
	p.forgetHandshake(v2)
	p.raw(p.versionNegotiation(own, original, v2))
	end := p.endsAt()
	var timeout *engine.HandshakeTimeoutError
	if !errors.As(p.conn.Closed(), &timeout) || end.Sub(began) != p.config.HandshakeTimeout {
		t.Fatalf("ended with %v after %v", p.conn.Closed(), end.Sub(began))
	}
	p.wantForgotten()
}

// A token belongs to the version of the Retry packet that brought it (RFC 9369,
// Section 4.1).
func TestRetryOfAnotherVersion(t *testing.T) {
	p := newServer(t, requireRetry)
	p.retried()
	p.speak(v2, p.remote)
	p.send(wire.InitialSpace, crypto(0, p.spaces[wire.InitialSpace].toSend))
	if s := p.endpoint.Stats(); s.InvalidToken != 1 || s.ClosesSent != 1 || p.conn != nil {
		t.Fatalf("the token of another version: %+v", s)
	}
}
