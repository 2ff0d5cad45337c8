package engine_test

import (
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// closedByPeer stands for a connection that the frame ends in good order.
const closedByPeer = wire.ErrorCode(wire.MaxVarint)

// frameRow is a row of the table in RFC 9000, Section 12.4, with roles: what a
// valid frame of a type does in 1-RTT packets to a server and to a client, and
// in Initial and Handshake packets to both.
type frameRow struct {
	frame              frame
	toServer, toClient wire.ErrorCode // NoError: accepted
	early              wire.ErrorCode
}

// frameRows has each type defined, and some that are not.
func frameRows() []frameRow {
	const no = wire.ProtocolViolation
	both := func(f frame, early wire.ErrorCode) frameRow { return frameRow{f, wire.NoError, wire.NoError, early} }
	const bidi = wire.StreamID(0) // the client's first; accepted by both, see reachWithStream
	rows := []frameRow{
		both(padding(3), wire.NoError),
		both(ping(), wire.NoError),
		both(ackOne(0, 0), wire.NoError),
		both(wire.AppendAck(nil, 100, 0, []wire.PacketRange{{}}, &wire.ECNCounts{}), wire.NoError),
		both(crypto(0, nil), wire.NoError),
		{connClose(1), closedByPeer, closedByPeer, closedByPeer},
		{appClose(1), closedByPeer, closedByPeer, no},
		{newToken("token"), no, wire.NoError, no},
		{handshakeDone(), no, wire.NoError, no},
		both(resetStream(bidi, 1, 5), no),
		both(wire.AppendResetStreamAt(nil, wire.ResetStreamAt{ResetStream: wire.ResetStream{ID: bidi, FinalSize: 5}, ReliableSize: 1}), no),
		both(stopSending(bidi, 1), no),
		both(maxData(1), no),
		both(maxStreamData(bidi, 1), no),
		both(maxStreams(false, 1), no),
		both(maxStreams(true, 1), no),
		both(dataBlocked(1), no),
		both(streamDataBlocked(bidi, 1), no),
		both(streamsBlocked(false, 1), no),
		both(streamsBlocked(true, 1), no),
		both(newConnID(1, 0, peerID(1)), no),
		both(retireConnID(1), no),
		both(pathChallenge("12345678"), no),
		both(pathResponse(pathData("12345678")), no),
		{datagramFrame("not negotiated"), no, no, no},
		{frame{byte(wire.FrameDatagram), 1}, no, no, no},
		{frame{0x1f}, wire.FrameEncodingError, wire.FrameEncodingError, wire.FrameEncodingError},
		{frame{0x21}, wire.FrameEncodingError, wire.FrameEncodingError, wire.FrameEncodingError},
		{frame{0x40, 0xaf}, wire.FrameEncodingError, wire.FrameEncodingError, wire.FrameEncodingError},
	}
	for flags := wire.FrameType(0); flags < 8; flags++ {
		f := frame{byte(wire.FrameStream | flags), byte(bidi)}
		if flags&wire.StreamOff != 0 {
			f = append(f, 0)
		}
		if flags&wire.StreamLen != 0 {
			f = append(f, 1)
		}
		rows = append(rows, both(append(f, 'x'), no))
	}
	return rows
}

// TestFrameMatrix sends every type of frame in every packet that can carry
// frames, to both roles. (Attack: frame at wrong level.)
func TestFrameMatrix(t *testing.T) {
	for _, row := range frameRows() {
		for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
			for space := wire.InitialSpace; space <= wire.AppSpace; space++ {
				want := row.early
				if space == wire.AppSpace {
					want = row.toServer
					if side == wire.ClientSide {
						want = row.toClient
					}
				}
				t.Run(fmt.Sprintf("%v %x to %v in %v", row.frame.kind(), uint64(row.frame.kind()), side, space), func(t *testing.T) {
					p := newRole(t, side)
					p.reachWithStream(space)
					p.send(space, padding(4), row.frame)
					p.wantOutcome(want)
				})
			}
		}
	}
}

// reachWithStream brings both sides to where packets of a space are exchanged
// and, for 1-RTT, a stream of the client's is open.
func (p *puppet) reachWithStream(space wire.Space) {
	p.t.Helper()
	switch {
	case space == wire.AppSpace:
		p.handshake()
		if p.side == wire.ServerSide {
			if _, err := p.conn.OpenStream(false); err != nil {
				p.fatal("%v", err)
			}
		}
	case p.side == wire.ClientSide: // the server has sent both, and waits
		p.reachHandshake()
	case space == wire.InitialSpace: // the client has sent its hello
		p.start()
	default: // the client is complete and waits for HANDSHAKE_DONE
		p.start()
		p.flush()
	}
}

// wantOutcome demands an error, an end by the peer's will, or none.
func (p *puppet) wantOutcome(want wire.ErrorCode) {
	p.t.Helper()
	switch want {
	case wire.NoError:
		p.wantOpen()
	case closedByPeer:
		if p.conn.Closed() == nil {
			p.fatal("the connection is still open")
		}
		p.frames = nil
		p.send(wire.InitialSpace, ping())
		p.silence()
	default:
		p.wantClose(want)
	}
	p.advance(maxClosing)
}

// 0-RTT packets are not accepted here: they are dropped whatever they carry.
func TestZeroRTTDropped(t *testing.T) {
	p := newServer(t)
	p.reachHandshake()
	sent := p.sent
	b := p.packet(wire.HandshakeSpace, stream(0, 0, "early", true))
	p.raw(retyped(b, wire.ZeroRTTPacket))
	if p.sent != sent || p.conn.Held().Streams != 0 {
		t.Fatal("a 0-RTT packet was taken")
	}
	p.wantOpen()
}

// TestStreamIDMatrix sends every frame about a stream for each kind of stream:
// it may exist, be opened by the frame, or be nobody's to speak of
// (RFC 9000, Sections 3 and 19).
func TestStreamIDMatrix(t *testing.T) {
	const bad = wire.StreamStateError
	rows := []struct {
		name string
		make func(wire.StreamID) frame
		// what comes for the puppet's bidirectional and unidirectional streams,
		// then for the endpoint's own when open, then when never opened
		theirs, opened, unopened [2]wire.ErrorCode
	}{
		{"STREAM", func(id wire.StreamID) frame { return stream(id, 0, "x", false) }, [2]wire.ErrorCode{}, [2]wire.ErrorCode{0, bad}, [2]wire.ErrorCode{bad, bad}},
		{"RESET_STREAM", func(id wire.StreamID) frame { return resetStream(id, 0, 0) }, [2]wire.ErrorCode{}, [2]wire.ErrorCode{0, bad}, [2]wire.ErrorCode{bad, bad}},
		{"STREAM_DATA_BLOCKED", func(id wire.StreamID) frame { return streamDataBlocked(id, 0) }, [2]wire.ErrorCode{}, [2]wire.ErrorCode{0, bad}, [2]wire.ErrorCode{bad, bad}},
		{"STOP_SENDING", func(id wire.StreamID) frame { return stopSending(id, 0) }, [2]wire.ErrorCode{0, bad}, [2]wire.ErrorCode{}, [2]wire.ErrorCode{bad, bad}},
		{"MAX_STREAM_DATA", func(id wire.StreamID) frame { return maxStreamData(id, 1) }, [2]wire.ErrorCode{0, bad}, [2]wire.ErrorCode{}, [2]wire.ErrorCode{bad, bad}},
	}
	for _, row := range rows {
		for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
			for k, unidirectional := range []bool{false, true} {
				try := func(what string, id func(*puppet) wire.StreamID, want wire.ErrorCode) {
					t.Run(fmt.Sprintf("%s to %v, %s, uni %v", row.name, side, what, unidirectional), func(t *testing.T) {
						p := newRole(t, side)
						p.handshake()
						if _, err := p.conn.OpenStream(unidirectional); err != nil {
							t.Fatal(err)
						}
						p.send(wire.AppSpace, row.make(id(p)))
						p.wantOutcome(want)
					})
				}
				try("theirs", func(p *puppet) wire.StreamID { return p.theirs(unidirectional, 0) }, row.theirs[k])
				try("opened", func(p *puppet) wire.StreamID { return p.ours(unidirectional, 0) }, row.opened[k])
				try("unopened", func(p *puppet) wire.StreamID { return p.ours(unidirectional, 1) }, row.unopened[k])
			}
		}
	}
}

// A frame for a stream that is over and forgotten is ignored, whatever it is.
func TestFramesForForgottenStream(t *testing.T) {
	p := newServer(t)
	p.handshake()
	id := p.theirs(false, 0)
	p.send(wire.AppSpace, resetStream(id, 1, 0), stopSending(id, 2))
	p.want(resetStream(id, 2, 0))
	p.ack()
	if n := p.conn.Held().Streams; n != 0 {
		t.Fatalf("%d streams are left", n)
	}
	p.send(wire.AppSpace, stream(id, 0, "late", true), resetStream(id, 1, 0), stopSending(id, 2),
		maxStreamData(id, 1<<20), streamDataBlocked(id, 4))
	p.wantOpen()
	p.silence()
	if n := p.conn.Held().Streams; n != 0 {
		t.Fatalf("%d streams came back", n)
	}
	for _, e := range p.events {
		if e.Kind == engine.EventStreamOpened && e.Stream.ID != id {
			t.Fatalf("stream %d was opened", e.Stream.ID)
		}
	}
}
