package port

import (
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/quic/event"
)

// What is said of a command that makes no sense fits into the ring, however long the
// command was: an event that never did would keep all others back.
func TestLongTexts(t *testing.T) {
	h := open(t, Config{Events: MinRing})
	long := strings.Repeat("\x01", 150<<10)
	c := h.connect("127.0.0.1:1", "protocol", long)
	if f := h.want(EvClosed, c).failure(); f.kind != ErrOption || !strings.HasPrefix(f.text, "option protocol") {
		t.Errorf("kind %d, %.80q", f.kind, f.text)
	}
	h.pair()
}

// A stream that is reset and stopped while it waits for the peer to allow it is so once it
// is open: the peer learns of it, and nothing is left of it.
func TestCancelBeforeOpen(t *testing.T) {
	h := open(t, Config{})
	client, server := h.pair("max_streams", "1")
	h.write(CmdOpen, 0, 0, client, 1, make([]byte, 8))
	h.do(CmdWrite, flagFin, client, 1, []byte("first"))
	first := h.want(EvStream, server)
	for _, tt := range []struct {
		command Command
		event   Event
	}{{CmdReset, EvReset}, {CmdStop, EvStopped}} {
		id := uint32(tt.command)
		h.write(CmdOpen, 0, 0, client, id, make([]byte, 8))
		h.write(CmdPriority, 0, 3|256, client, id, nil)
		h.write(tt.command, 0, 0, client, id, le64(7))
		if tt.command == CmdStop {
			h.write(CmdWrite, flagFin, 0, client, id, []byte("second"))
		}
		h.do(CmdStats, 0, client, 0, nil)
		h.want(EvStats, client)
		h.do(CmdWrite, flagFin, server, first.id, nil)
		second := h.want(EvStream, server)
		if got := h.want(tt.event, server); got.id != second.id || got.failure().code != 7 {
			t.Errorf("event %d of stream %d with code %d", got.Event, got.id, got.failure().code)
		}
		first = second
	}
}

// A connection that ends before the host knows of it was never there: the dial fails.
func TestEndBeforeConnected(t *testing.T) {
	h := open(t, Config{})
	_, address := h.listen("alpn", "test")
	o := readOptions(appendFields(nil, pairs("address", address, "alpn", "test", "insecure", "1")))
	d := &dial{port: h.port, handle: h.handle(), settings: h.port.connecting(o)}
	h.port.add(d.handle, d)
	l, err := h.port.dialLane()
	if err != nil {
		t.Fatal(err)
	}
	q, err := event.DialOn(t.Context(), l.transport, d.address, &d.tls, &d.quic, d.handler(l))
	if err != nil {
		t.Fatal(err)
	}
	c := event.HandlerOf(q).(*conn)
	event.Run(q, func(t event.Turn) { t.Close(0, "") })
	<-q.Done()
	if d.attach(c) == nil {
		t.Error("the host learns of the connection")
	}
	h.do(CmdOpen, 0, d.handle, 1, make([]byte, 8))
	d.fail(errGivenUp)
	h.want(EvClosed, d.handle)
	for _, g := range h.later {
		if g.Event == EvConnected {
			t.Error("the host is told of the connection")
		}
	}
	if h.port.find(d.handle) != nil {
		t.Error("the handle names something")
	}
}

// A peer that opens streams of a session while the host takes no events is stopped before
// the events take all memory.
func TestSessionBacklog(t *testing.T) {
	h := open(t, Config{})
	client, server := h.wtPair()
	ours, _ := h.sessionPair(client, server)
	e := &h.port.ev
	e.mu.Lock()
	big := record{typ: uint8(EvError), payload: make([]byte, len(e.ring)/2)}
	for range 2 * maxBacklog / len(big.payload) {
		e.waiting = appendRecord(e.waiting, big)
	}
	e.hungry.Store(true)
	e.mu.Unlock()
	h.do(CmdOpen, flagUni, client, h.handle(), inSession(ours))
	connections := h.mem.u64(offConnections)
	for deadline := time.Now().Add(patience); atomic.LoadUint64(connections) > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the connection is still there")
		}
	}
}

// Content or trailers before a response are refused, and harm no other request.
func TestContentBeforeResponse(t *testing.T) {
	h := open(t, Config{})
	client, server, _ := h.h3Pair()
	h.do(CmdRequest, flagFin, client, 1, get("GET", "/"))
	request := h.want(EvRequest, server)
	for _, command := range []Command{CmdWrite, CmdTrailers} {
		h.do(command, 0, server, request.id, appendFields(nil, nil))
		if g := h.want(EvError, server); g.id != request.id || g.aux != uint16(command) {
			t.Errorf("command %d: error of command %d", command, g.aux)
		}
	}
	h.do(CmdRespond, flagFin, server, request.id, response("200", nil))
	h.want(EvResponse, client)
}
