package engine_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// longPacket is the invariant part of a long header packet, filled to n bytes.
func longPacket(v wire.Version, dst, src string, n int) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0xc0}, uint32(v))
	b = append(append(b, byte(len(dst))), dst...)
	b = append(append(b, byte(len(src))), src...)
	return append(b, make([]byte, max(0, n-len(b)))...)
}

const unknownVersion wire.Version = 0x1a2a3a4a

// only1 makes the endpoint one that has version 1 alone.
func only1(p *puppet) { p.config.Versions = []wire.Version{wire.Version1} }

// Attack: version negotiation as amplifier. Only full-sized datagrams of an
// unknown version are answered, with less than they brought; Version
// Negotiation packets never are (RFC 9000, Sections 5.2.2 and 6.1).
func TestAttackVersionNegotiationAmplifier(t *testing.T) {
	tests := []struct {
		name    string
		data    []byte
		answers bool
	}{
		{"full size", longPacket(unknownVersion, "destination", "source", 1200), true},
		{"one byte less", longPacket(unknownVersion, "destination", "source", 1199), false},
		{"version 2", longPacket(wire.Version2, "destination", "source", 1200), true},
		{"longest IDs", longPacket(unknownVersion, string(bytes.Repeat([]byte{1}, 255)), string(bytes.Repeat([]byte{2}, 255)), 1200), true},
		{"no IDs", longPacket(unknownVersion, "", "", 1200), true},
		{"Version Negotiation", longPacket(0, "destination", "source", 1200), false},
		{"ID beyond the end", longPacket(unknownVersion, "destination", "source", 1200)[:10], false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t, only1)
			p.raw(tt.data)
			if got := len(p.answers) > 0; got != tt.answers {
				t.Fatalf("answered: %v", got)
			}
			if err := p.endpoint.CheckEmpty(); err != nil {
				t.Fatal(err)
			}
			if !tt.answers {
				return
			}
			a := p.answers[0]
			if len(p.answers) > 1 || len(a) >= len(tt.data) {
				t.Fatalf("%d answers, the first of %d bytes", len(p.answers), len(a))
			}
			sent, _ := wire.ParseInvariant(tt.data, 0)
			got, ok := wire.ParseInvariant(a, 0)
			if !ok || got.Version != 0 || !bytes.Equal(got.DstID, sent.SrcID) || !bytes.Equal(got.SrcID, sent.DstID) {
				t.Fatalf("answered with %x", a)
			}
			list, ok := wire.ParseVersionNegotiation(a)
			if !ok {
				t.Fatal("no versions")
			}
			var known, reserved int
			for v := range list {
				switch {
				case v == wire.Version1:
					known++
				case v.Reserved() && v != sent.Version: // RFC 9000, Section 6.3
					reserved++
				default:
					t.Fatalf("offers %v", v)
				}
			}
			if known != 1 || reserved != 1 {
				t.Fatalf("offers version 1 %d times, and %d reserved versions", known, reserved)
			}
		})
	}
}

// Attack: version negotiation flood: few answers wait.
func TestAttackVersionNegotiationFlood(t *testing.T) {
	p := newServer(t)
	for range 1000 {
		p.deliver(longPacket(unknownVersion, "destination", "source", 1200))
	}
	p.poll()
	if s := p.endpoint.Stats(); len(p.answers) != engine.MaxVersionAnswers || s.UnknownVersion != 1000 || s.VersionsSent != uint64(engine.MaxVersionAnswers) {
		t.Fatalf("%d answers: %+v", len(p.answers), s)
	}
}

// versionNegotiation answers the client's first packet.
func (p *puppet) versionNegotiation(dst, src wire.ConnectionID, versions ...wire.Version) []byte {
	return wire.AppendVersionNegotiation(nil, dst.Bytes(), src.Bytes(), 0, versions)
}

// A Version Negotiation packet without a common version ends a client's attempt, with
// both sides' versions in the error.
func TestNoCommonVersion(t *testing.T) {
	p := newClient(t, only1)
	p.start()
	p.raw(p.versionNegotiation(p.remote, p.original, unknownVersion, wire.Version2))
	var err *engine.VersionNegotiationError
	if !errors.As(p.conn.Closed(), &err) || len(err.Theirs) != 2 || err.Theirs[0] != unknownVersion || len(err.Ours) != 1 {
		t.Fatalf("ended with %v", p.conn.Closed())
	}
	p.wantForgotten()
}

// Attack: forged or late Version Negotiation, to break connections or bring
// them down to another version: ignored (RFC 9000, Section 6.2).
func TestAttackForgedVersionNegotiation(t *testing.T) {
	tests := map[string]func(p *puppet) []byte{
		"offers ours": func(p *puppet) []byte {
			return p.versionNegotiation(p.remote, p.original, unknownVersion, wire.Version1)
		},
		"wrong destination": func(p *puppet) []byte { return p.versionNegotiation(connID("notyours"), p.original, unknownVersion) },
		"wrong source":      func(p *puppet) []byte { return p.versionNegotiation(p.remote, connID("guessing"), unknownVersion) },
		"IDs not swapped":   func(p *puppet) []byte { return p.versionNegotiation(p.original, p.remote, unknownVersion) },
		"no versions":       func(p *puppet) []byte { return p.versionNegotiation(p.remote, p.original) },
		"part of a version": func(p *puppet) []byte {
			return append(p.versionNegotiation(p.remote, p.original, unknownVersion), 1, 2)
		},
		"from another server": func(p *puppet) []byte {
			p.path.Remote = strangerAddr
			return p.versionNegotiation(p.remote, p.original, unknownVersion)
		},
		"after an answer": func(p *puppet) []byte {
			b := p.versionNegotiation(p.remote, p.original, unknownVersion)
			p.send(wire.InitialSpace, ping())
			return b
		},
	}
	for name, attack := range tests {
		t.Run(name, func(t *testing.T) {
			p := newClient(t)
			p.start()
			p.raw(attack(p))
			p.advance(time.Millisecond)
			p.wantOpen()
			p.path.Remote = puppetAddr
			p.flush()
			p.flush()
			if !p.shook {
				t.Fatal("the handshake does not go on")
			}
			p.wantOpen()
		})
	}
}

// Attack: a packet of another version, or Version Negotiation, for a running
// connection changes nothing, in both roles.
func TestAttackVersionChange(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side)
		p.handshake()
		sent := p.sent
		remote := string(p.remote.Bytes())
		for _, v := range []wire.Version{0, unknownVersion, wire.Version2} {
			p.raw(longPacket(v, remote, "source", 1200))
		}
		p.raw(p.versionNegotiation(p.remote, p.original, unknownVersion))
		p.wantOpen()
		if p.sent != sent || len(p.answers) > 0 {
			t.Errorf("%v: %d datagrams were sent", side, p.sent-sent)
		}
	}
}
