package engine_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// peerID names the connection ID number seq of the puppet; all have the length
// of its first.
func peerID(seq uint64) string { return fmt.Sprintf("peer%04d", seq%10_000) }

// Attack: NEW_CONNECTION_ID flood. A peer that retires its IDs as fast as it
// issues them, and never acknowledges our RETIRE_CONNECTION_ID, is stopped
// before the frames to be sent pile up.
func TestAttackNewConnectionIDFlood(t *testing.T) {
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		t.Run(side.String(), func(t *testing.T) {
			p := newRole(t, side)
			p.handshake()
			seq := uint64(1)
			for ; seq < 1000 && p.conn.Closed() == nil; seq++ {
				p.send(wire.AppSpace, newConnID(seq, seq, peerID(seq)))
			}
			p.wantClose(wire.ConnectionIDLimitError)
			if seq > engine.MaxRetiring+3 {
				t.Errorf("stopped only after %d frames", seq)
			}
			p.wantForgotten()
		})
	}
}

// Attack: NEW_CONNECTION_ID flood in one packet, with or without retirement.
func TestAttackNewConnectionIDBurst(t *testing.T) {
	for _, retire := range []bool{true, false} {
		p := newServer(t)
		p.handshake()
		var burst []frame
		for seq := uint64(1); seq < 40; seq++ {
			prior := uint64(0)
			if retire {
				prior = seq
			}
			burst = append(burst, newConnID(seq, prior, peerID(seq)))
		}
		p.send(wire.AppSpace, burst...)
		p.wantClose(wire.ConnectionIDLimitError)
		p.wantForgotten()
	}
}

// A peer that acknowledges may retire its IDs for ever (RFC 9000,
// Section 5.1.2), and each is retired once.
func TestPeerRetiresItsIDs(t *testing.T) {
	p := newServer(t)
	p.handshake()
	for seq := uint64(1); seq < 200; seq++ {
		p.send(wire.AppSpace, newConnID(seq, seq, peerID(seq)))
		p.local = connID(peerID(seq))
		p.advance(time.Millisecond)
		p.want(retireConnID(seq - 1))
		p.ack()
	}
	p.silence()
	p.wantOpen()
	if h := p.conn.Held(); h.Retiring != 0 || h.PeerIDs != 1 {
		t.Fatalf("%d IDs kept, %d being retired", h.PeerIDs, h.Retiring)
	}
}

// Retransmitted frames about an ID that was retired do not bring it back: the
// peer has forgotten it (RFC 9000, Section 5.1.2).
func TestRetiredPeerIDStaysRetired(t *testing.T) {
	p := newServer(t)
	p.handshake()
	issue := newConnID(1, 0, peerID(1))
	p.send(wire.AppSpace, issue)
	p.send(wire.AppSpace, newConnID(2, 0, peerID(2)))
	for i, seq := range []uint64{0, 1} { // each move uses up an ID
		p.local = connID(peerID(seq + 1))
		p.path.Remote = churnAddr(i)
		p.send(wire.AppSpace, ping(), padding(1000))
		for range 2 { // on the new path, and on the one before
			c := p.wantKind(wire.FramePathChallenge)
			p.send(wire.AppSpace, pathResponse(c.pathData()))
		}
		p.want(retireConnID(seq))
		p.ack()
	}
	p.send(wire.AppSpace, issue)
	if n := p.conn.Held().PeerIDs; n != 1 {
		t.Fatalf("%d IDs kept, want the one in use", n)
	}
	p.wantOpen()
}

// Attack: NEW_CONNECTION_ID with contradictions (RFC 9000, Section 19.15).
func TestAttackContradictingIDs(t *testing.T) {
	tests := []struct {
		name   string
		frames []frame
		want   wire.ErrorCode
	}{
		{"one number, two IDs", []frame{newConnID(1, 0, peerID(1)), newConnID(1, 0, peerID(2))}, wire.ProtocolViolation},
		{"one ID, two numbers", []frame{newConnID(1, 0, peerID(1)), newConnID(2, 0, peerID(1))}, wire.ProtocolViolation},
		{"the first number again", []frame{newConnID(0, 0, peerID(1))}, wire.ProtocolViolation},
		{"retires beyond itself", []frame{{byte(wire.FrameNewConnectionID), 1, 2, 8, 1, 2, 3, 4, 5, 6, 7, 8,
			0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}}, wire.FrameEncodingError},
		{"empty ID", []frame{append(frame{byte(wire.FrameNewConnectionID), 1, 0, 0}, make(frame, 16)...)}, wire.FrameEncodingError},
		{"ID of 21 bytes", []frame{append(frame{byte(wire.FrameNewConnectionID), 1, 0, 21}, make(frame, 37)...)}, wire.FrameEncodingError},
		{"too many", []frame{newConnID(1, 0, peerID(1)), newConnID(2, 0, peerID(2)), newConnID(3, 0, peerID(3)),
			newConnID(4, 0, peerID(4))}, wire.ConnectionIDLimitError},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newServer(t)
			p.handshake()
			p.send(wire.AppSpace, tt.frames...)
			p.wantClose(tt.want)
		})
	}
}

// A peer without connection IDs cannot issue any (RFC 9000, Section 19.15).
func TestNewConnectionIDForEmptyID(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.local = wire.ConnectionID{} })
	p.handshake()
	p.send(wire.AppSpace, newConnID(1, 0, peerID(1)))
	p.wantClose(wire.ProtocolViolation)
}

// issuedIDs completes a handshake and returns the IDs the endpoint gave out.
func issuedIDs(p *puppet) (ids []wire.NewConnectionIDFrame) {
	p.start()
	for range 4 {
		p.flush()
	}
	if p.side == wire.ServerSide {
		p.send(wire.AppSpace, handshakeDone())
	}
	for range 3 {
		p.ack()
	}
	for _, f := range p.frames {
		if f.kind() == wire.FrameNewConnectionID {
			ids = append(ids, f.newConnID())
		}
	}
	p.frames = nil
	return ids
}

// Every ID given out works, and a retired one no longer does.
func TestOwnIDs(t *testing.T) {
	p := newServer(t, func(p *puppet) { p.params.ActiveConnIDLimit = 8 })
	ids := issuedIDs(p)
	if len(ids) != engine.MaxLocalIDs-1 {
		t.Fatalf("%d IDs were issued", len(ids))
	}
	first := p.remote
	for _, id := range ids {
		p.remote = id.ID
		p.send(wire.AppSpace, pathChallenge("hello it"))
		p.wantKind(wire.FramePathResponse)
		p.want(ping())
		p.ack()
	}
	p.send(wire.AppSpace, retireConnID(0))
	replacement := p.wantKind(wire.FrameNewConnectionID).newConnID()
	if replacement.Seq != ids[len(ids)-1].Seq+1 {
		t.Fatalf("the replacement has number %d", replacement.Seq)
	}
	p.ack()
	p.remote = first
	unknown := p.endpoint.Stats().UnknownID
	p.send(wire.AppSpace, ping(), padding(40))
	if p.endpoint.Stats().UnknownID != unknown+1 {
		t.Fatal("a retired ID still works")
	}
	p.remote = replacement.ID
	p.send(wire.AppSpace, pathChallenge("hello it"))
	p.wantKind(wire.FramePathResponse)
	p.wantOpen()
}

// Attack: RETIRE_CONNECTION_ID loop. Each retirement of an ID that was told of
// makes one new ID, whatever the repetition, so it ends with the peer's frames.
func TestAttackRetireConnectionIDLoop(t *testing.T) {
	p := newServer(t)
	ids := issuedIDs(p)
	p.params.ActiveConnIDLimit = 2
	told := uint64(len(ids) + 1)
	for round := range uint64(300) {
		var same []frame
		for range 30 {
			same = append(same, retireConnID(1+round))
		}
		p.send(wire.AppSpace, same...)
		p.wantOpen()
		if n := p.count(wire.FrameNewConnectionID); n != 1 {
			t.Fatalf("round %d: %d new IDs", round, n)
		}
		p.ack()
		told++
	}
	if h := p.conn.Held(); h.LocalIDs > engine.MaxLocalIDs {
		t.Fatalf("%d IDs", h.LocalIDs)
	}
	p.frames = nil
	p.advance(time.Second)
	if n := p.count(wire.FrameNewConnectionID); n != 0 {
		t.Fatalf("%d new IDs without a retirement", n)
	}
}

// Attack: RETIRE_CONNECTION_ID for IDs that the peer was not told of, or for
// the one in use (RFC 9000, Section 19.16).
func TestAttackRetireUnknownIDs(t *testing.T) {
	p := newServer(t)
	ids := issuedIDs(p)
	next := uint64(len(ids) + 1)
	tests := map[string][]frame{
		"never issued":                        {retireConnID(next)},
		"far away":                            {retireConnID(wire.MaxVarint)},
		"in use":                              {retireConnID(0)},
		"one after another, faster than told": {retireConnID(1), retireConnID(next)},
	}
	for name, frames := range tests {
		t.Run(name, func(t *testing.T) {
			p := newServer(t)
			p.handshake()
			p.send(wire.AppSpace, frames...)
			p.wantClose(wire.ProtocolViolation)
			p.wantForgotten()
		})
	}
}

// Attack: withheld acknowledgments. A peer that retires IDs and acknowledges
// nothing holds no more of them than one that does.
func TestAttackRetireWithoutAcks(t *testing.T) {
	p := newServer(t)
	issuedIDs(p)
	for seq := uint64(1); seq < 400; seq++ {
		p.send(wire.AppSpace, retireConnID(seq))
		p.advance(time.Millisecond)
		if h := p.conn.Held(); h.LocalIDs > engine.MaxLocalIDs {
			t.Fatalf("%d IDs", h.LocalIDs)
		}
		if p.conn.Closed() != nil {
			break // retired one that it could not know of yet
		}
	}
	p.advance(2 * time.Minute)
	p.wantForgotten()
}

// A Retire Prior To below an earlier one is ignored, and an ID that comes after it was to be
// retired is retired at once (RFC 9000, Section 19.15).
func TestOldRetirePriorTo(t *testing.T) {
	p := newServer(t)
	p.handshake()
	p.send(wire.AppSpace, newConnID(2, 2, peerID(2)))
	p.want(retireConnID(0))
	for _, want := range [][]frame{{retireConnID(1)}, nil} { // late, and again
		p.send(wire.AppSpace, newConnID(1, 0, peerID(1)))
		for _, f := range want {
			p.want(f)
		}
		p.silence()
	}
	p.send(wire.AppSpace, newConnID(3, 1, peerID(3)))
	p.silence()
	p.wantOpen()
	if n := p.conn.Held().PeerIDs; n != 2 {
		t.Fatalf("%d IDs kept, want 2", n)
	}
}
