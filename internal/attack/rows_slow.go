package attack

import (
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
)

var slowRows = []Row{
	{Name: "slow-read-4", Class: "slow reading", run: slowRead(4),
		Does: "asks for a gigabyte 256 times on each of 4 connections, and lets no byte of the answers come"},
	{Name: "slow-read-10", Class: "slow reading", run: slowRead(10),
		Does: "the same on 10 connections"},
	{Name: "slow-read-40", Class: "slow reading", run: slowRead(40),
		Does: "the same on 40 connections"},
	{Name: "slow-headers", Class: "slow reading", run: slowHeaders,
		Does: "begins a 64 KB header on every stream of 20 connections, and finishes none"},
	{Name: "slow-windows", Class: "slow reading", run: fillWindows,
		Does: "fills the flow control windows of 20 connections with content that no handler reads"},
	{Name: "slow-posts", Class: "slow reading", run: slowPosts,
		Does: "begins 5,120 POST requests on 20 connections, and sends a byte of each now and then"},
	{Name: "idle-2000", Class: "idle connections", run: idle,
		Does: "opens 2,000 connections and leaves them alone"},
}

func slowRead(n int) func(a *attacker) error {
	return func(a *attacker) error {
		conns, err := a.dialMany(n, dialing{params: func(p *wire.TransportParameters) { p.InitialMaxStreamDataBidiLocal = 0 }})
		if err != nil {
			return err
		}
		a.begun()
		requests := 0
		for _, c := range conns {
			for i := 0; c.get("/bytes/1000000000"); i++ {
				if requests++; i%32 == 0 {
					a.poll(0)
				}
			}
			a.poll(time.Millisecond)
		}
		a.eachConn(n, conns, func(c *conn) bool { c.send(wire.AppendPing(nil)); return true })
		a.notef("%d requests; %s", requests, ends(conns))
		return nil
	}
}

// lossy keeps an attacker's packets few enough on their way that most arrive.
const lossy = 128

func slowHeaders(a *attacker) error {
	conns, err := a.dialMany(20, dialing{})
	if err != nil {
		return err
	}
	a.begun()
	// A literal field whose value does not end.
	b := h3.AppendFrameHeader(nil, h3.FrameHeaders, 65_000)
	b = append(b, strings.Repeat("\x00", 60_000)...)
	var streams []*stream
	for _, c := range conns {
		c.window = lossy
		for s, ok := c.open(false); ok; s, ok = c.open(false) {
			streams = append(streams, s)
		}
	}
	sent := 0
	a.repeat(5_000, func(i int) bool {
		s := streams[i%len(streams)]
		from := i / len(streams) * 15_000
		if from >= len(b) {
			return false
		}
		if s.c.alive() {
			s.write(b[from:min(from+15_000, len(b))], false)
			sent++
		}
		return true
	})
	a.notef("%d streams, %d KB; %s", len(streams), a.sock.bytes>>10, ends(conns))
	return nil
}

func fillWindows(a *attacker) error {
	conns, err := a.dialMany(20, dialing{})
	if err != nil {
		return err
	}
	a.begun()
	chunk := make([]byte, 8<<10)
	head := getRequest("/slow?ms=60000")
	var streams []*stream
	for _, c := range conns {
		c.window = lossy
		for s, ok := c.open(false); ok; s, ok = c.open(false) {
			streams = append(streams, s)
		}
	}
	for _, s := range streams {
		s.write(append(head, h3.AppendFrameHeader(nil, h3.FrameData, generous)...), false)
	}
	a.repeat(10_000, func(i int) bool {
		s := streams[i%len(streams)]
		if s.c.alive() && s.room(len(chunk)) {
			s.write(chunk, false)
		}
		return true
	})
	a.notef("%d streams, %d KB; %s", len(streams), a.sock.bytes>>10, ends(conns))
	return nil
}

func slowPosts(a *attacker) error {
	conns, err := a.dialMany(20, dialing{})
	if err != nil {
		return err
	}
	a.begun()
	var streams []*stream
	for _, c := range conns {
		c.window = lossy
		for s, ok := c.open(false); ok; s, ok = c.open(false) {
			s.write(append(postRequest("/digest"), h3.AppendFrameHeader(nil, h3.FrameData, 1<<30)...), false)
			streams = append(streams, s)
		}
		a.poll(time.Millisecond)
	}
	if len(streams) > 0 {
		a.repeat(1000, func(i int) bool {
			if s := streams[i%len(streams)]; s.c.alive() {
				s.write([]byte{'x'}, false)
			}
			return true
		})
	}
	a.notef("%d requests; %s", len(streams), ends(conns))
	return nil
}

func idle(a *attacker) error {
	a.begun()
	conns, err := a.dialMany(2000, dialing{})
	a.pause(2 * time.Second)
	a.notef("%s", ends(conns))
	if err != nil {
		a.notef("%d connections, then: %v", len(conns), err)
	}
	return nil
}
