package attack

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var frameRows = []Row{
	{Name: "pings", Class: "frame flood", run: frames(func(_ *conn, b []byte, _ int) []byte {
		for len(b) < maxPayload {
			b = wire.AppendPing(b)
		}
		return b
	}), Does: "fills packets with PING frames"},
	{Name: "limits", Class: "MAX_STREAMS frames flood", run: frames(func(_ *conn, b []byte, i int) []byte {
		for n := uint64(i) * 100; len(b) < maxPayload-40; n++ {
			b = wire.AppendMaxData(b, generous+n)
			b = wire.AppendMaxStreams(b, n%2 == 0, 100+n)
			b = wire.AppendDataBlocked(b, n)
			b = wire.AppendStreamsBlocked(b, n%2 == 0, n)
		}
		return b
	}), Does: "raises its limits and says that it is blocked by the server's, again and again"},
	{Name: "path-challenges", Class: "PATH_CHALLENGE flood", run: frames(func(c *conn, b []byte, i int) []byte {
		for len(b) < maxPayload-9 {
			b = wire.AppendPathChallenge(b, wire.PathData{byte(i), byte(i >> 8), byte(len(b)), byte(len(b) >> 8)})
		}
		return b
	}), Does: "fills packets with PATH_CHALLENGE frames"},
	{Name: "datagrams-of-nobody", Class: "DATAGRAM flood", run: frames(func(_ *conn, b []byte, i int) []byte {
		data := append(h3.AppendQuarterID(nil, uint64(i%100)*4), make([]byte, maxPayload-10)...)
		return wire.AppendDatagram(b, wire.Datagram{Data: data})
	}), Does: "sends HTTP datagrams of 1.1 KB for requests that do not exist"},
	{Name: "datagrams-tiny", Class: "DATAGRAM flood", run: frames(func(_ *conn, b []byte, i int) []byte {
		for len(b) < maxPayload-8 {
			b = wire.AppendDatagram(b, wire.Datagram{Data: h3.AppendQuarterID(nil, uint64(i%16)*4)})
		}
		return b
	}), Does: "fills packets with empty HTTP datagrams for requests that do not exist"},
	{Name: "key-updates", Class: "key update flood", run: keyUpdates,
		Does: "updates its keys as often as the server lets it"},
	{Name: "illegal-frames", Class: "Frame type/varint", run: illegalFrames,
		Does: "sends frames that break a rule, each on a connection of its own"},
}

// frames sends packets, up to 100,000 a second on one connection after the other,
// with the frames that fill appends to b.
func frames(fill func(c *conn, b []byte, i int) []byte) func(a *attacker) error {
	return func(a *attacker) error {
		conns, err := a.dialMany(1, dialing{})
		if err != nil {
			return err
		}
		a.begun()
		var b []byte
		n := a.repeat(100_000, func(i int) bool {
			c := conns[len(conns)-1]
			if !c.alive() {
				more, err := a.dialMany(1, dialing{})
				if err != nil || len(conns) > 100 {
					return false
				}
				conns = append(conns, more...)
				c = more[0]
			}
			b = fill(c, b[:0], i)
			c.send(b)
			return true
		})
		a.notef("%d packets; %s", n, ends(conns))
		return nil
	}
}

func keyUpdates(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	a.begun()
	updates := 0
	a.eachConn(100_000, []*conn{c}, func(c *conn) bool {
		if c.keys.Update() == nil {
			updates++
		}
		c.send(wire.AppendPing(nil))
		return true
	})
	a.notef("%d updates; %s", updates, ends([]*conn{c}))
	return nil
}

// illegal is frames with which a server must close the connection.
type illegal struct {
	name   string
	frames []byte
	code   wire.ErrorCode
}

// illegalList has frames of each kind of offence.
func illegalList() []illegal {
	id := func(uni bool, seq uint64) wire.StreamID { return wire.NewStreamID(wire.ClientSide, uni, seq) }
	theirs := func(uni bool, seq uint64) wire.StreamID { return wire.NewStreamID(wire.ServerSide, uni, seq) }
	someID, _ := wire.NewConnectionID([]byte("attacker"))
	return []illegal{
		{"HANDSHAKE_DONE", wire.AppendHandshakeDone(nil), wire.ProtocolViolation},
		{"NEW_TOKEN", wire.AppendNewToken(nil, wire.NewToken{Token: []byte("token")}), wire.ProtocolViolation},
		{"unknown frame", wire.AppendVarint(nil, 0x3f), wire.FrameEncodingError},
		{"type that is too long", []byte{0x40, 0x01}, wire.ProtocolViolation},
		{"no frame", nil, wire.ProtocolViolation},
		{"ACK of the unsent", wire.AppendAck(nil, 100, 0, []wire.PacketRange{{Smallest: 1 << 20, Largest: 1 << 20}}, nil), wire.ProtocolViolation},
		{"ACK below 0", []byte{0x02, 1, 0, 0, 5}, wire.FrameEncodingError},
		{"truncated STREAM", []byte{0x0a, 0, 0x40}, wire.FrameEncodingError},
		{"STREAM beyond the window", wire.AppendStream(nil, wire.Stream{ID: id(false, 0), Offset: generous, Data: []byte("x")}), wire.FlowControlError},
		{"STREAM beyond 2^62", append([]byte{0x0e, 0}, append(wire.AppendVarint(nil, wire.MaxVarint), 1, 'x')...), wire.FrameEncodingError},
		{"stream beyond the limit", wire.AppendStream(nil, wire.Stream{ID: id(false, 1<<20), Data: []byte("x")}), wire.StreamLimitError},
		{"STREAM on the server's stream", wire.AppendStream(nil, wire.Stream{ID: theirs(true, 0), Data: []byte("x")}), wire.StreamStateError},
		{"STREAM on a stream that is not open", wire.AppendStream(nil, wire.Stream{ID: theirs(false, 0), Data: []byte("x")}), wire.StreamStateError},
		{"MAX_STREAM_DATA for a receiving stream", wire.AppendMaxStreamData(nil, wire.MaxStreamData{ID: id(true, 0), Max: 1}), wire.StreamStateError},
		{"STOP_SENDING of a stream not opened", wire.AppendStopSending(nil, wire.StopSending{ID: theirs(false, 9)}), wire.StreamStateError},
		{"RESET_STREAM below what came", append(wire.AppendStream(nil, wire.Stream{ID: id(false, 0), Data: []byte("xxx")}),
			wire.AppendResetStream(nil, wire.ResetStream{ID: id(false, 0), FinalSize: 1})...), wire.FinalSizeError},
		{"STREAM beyond the end", append(wire.AppendStream(nil, wire.Stream{ID: id(false, 0), Data: []byte("x"), Fin: true}),
			wire.AppendStream(nil, wire.Stream{ID: id(false, 0), Offset: 5, Data: []byte("x")})...), wire.FinalSizeError},
		{"MAX_STREAMS beyond 2^60", append([]byte{0x12}, wire.AppendVarint(nil, wire.MaxStreamCount+1)...), wire.FrameEncodingError},
		{"RETIRE_CONNECTION_ID of the unissued", wire.AppendRetireConnectionID(nil, 1<<20), wire.ProtocolViolation},
		{"NEW_CONNECTION_ID retiring what is not there", []byte{0x18, 1, 2, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, wire.FrameEncodingError},
		{"NEW_CONNECTION_ID, too many", manyIDs(someID), wire.ConnectionIDLimitError},
		{"CRYPTO far ahead", wire.AppendCrypto(nil, wire.Crypto{Offset: 1 << 30, Data: []byte("x")}), wire.CryptoBufferExceeded},
		{"PATH_RESPONSE of nothing", wire.AppendPathResponse(nil, wire.PathData{1}), 0},
	}
}

// manyIDs is more IDs than anybody stores.
func manyIDs(like wire.ConnectionID) (b []byte) {
	for seq := uint64(1); seq < 30; seq++ {
		id := like
		id.Bytes()[0] = byte(seq)
		b = wire.AppendNewConnectionID(b, &wire.NewConnectionIDFrame{Seq: seq, ID: id, Token: wire.ResetToken{byte(seq)}})
	}
	return b
}

func illegalFrames(a *attacker) error {
	list := illegalList()
	a.begun()
	right := 0
	for _, x := range list {
		c, err := a.dial(dialing{})
		if err != nil {
			return fmt.Errorf("%s: %w", x.name, err)
		}
		c.send(x.frames)
		c.send(wire.AppendPing(nil)) // which a connection that goes on acknowledges
		ping := c.spaces[wire.AppSpace].next - 1
		for end := time.Now().Add(handshakePatience); c.alive() && c.ackedTo < ping && time.Now().Before(end); {
			a.poll(50 * time.Millisecond)
		}
		switch {
		case x.code == 0 && c.alive() || c.closed != nil && !c.closed.App && c.closed.Code == uint64(x.code):
			right++
		default:
			a.brokenf("%s: %s, want %v", x.name, c.closeText(), x.code)
		}
		c.close()
	}
	a.notef("%d of %d answered as they must be", right, len(list))
	return nil
}
