package port

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

// noise returns bytes that depend on a seed.
func noise(seed byte, n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}

// tube is a stream of a test: what it sends and what it has got.
type tube struct {
	conn, id uint32
	toSend   []byte
	fin      bool // toSend is all
	credit   int
	got      []byte
	gotFin   bool
	sentFin  bool
	reset    *failure
	stopped  *failure
	ended    *failure
}

// world is the streams of a test.
type world struct {
	*host
	tubes  map[[2]uint32]*tube
	server map[uint32]bool // connections that echo
	closed map[uint32]failure
}

func newWorld(h *host) *world {
	return &world{h, make(map[[2]uint32]*tube), make(map[uint32]bool), make(map[uint32]failure)}
}

func (w *world) tube(conn, id uint32) *tube {
	k := [2]uint32{conn, id}
	if w.tubes[k] == nil {
		w.tubes[k] = &tube{conn: conn, id: id, credit: defaultWindow}
	}
	return w.tubes[k]
}

// pump writes what there is credit for.
func (w *world) pump(x *tube) {
	for !x.sentFin && (len(x.toSend) > 0 && x.credit > 0 || len(x.toSend) == 0 && x.fin) {
		n := min(len(x.toSend), x.credit, 16<<10)
		flags := uint8(0)
		if n == len(x.toSend) && x.fin {
			flags, x.sentFin = flagFin, true
		}
		w.write(CmdWrite, flags, 0, x.conn, x.id, x.toSend[:n])
		x.toSend, x.credit = x.toSend[n:], x.credit-n
	}
}

// step handles one event.
func (w *world) step() got {
	w.t.Helper()
	g := w.event()
	switch g.Event {
	case EvAccepted:
		w.server[g.conn] = true
	case EvStream:
		w.tube(g.conn, g.id)
	case EvData:
		x := w.tube(g.conn, g.id)
		if x.gotFin || x.ended != nil || x.reset != nil {
			w.t.Errorf("data after the end of stream %d", g.id)
		}
		x.gotFin = g.fin()
		if w.server[g.conn] {
			x.toSend = append(x.toSend, g.payload...)
			x.fin = x.gotFin
			w.pump(x)
		} else {
			x.got = append(x.got, g.payload...)
		}
		if len(g.payload) > 0 && !g.fin() {
			w.write(CmdCredit, 0, 0, g.conn, g.id, le64(uint64(len(g.payload))))
		}
		w.commit()
	case EvCredit:
		x := w.tube(g.conn, g.id)
		x.credit += int(binary.LittleEndian.Uint64(g.payload))
		w.pump(x)
		w.commit()
	case EvReset, EvStopped, EvEnded:
		x, f := w.tube(g.conn, g.id), g.failure()
		switch g.Event {
		case EvReset:
			x.reset = &f
		case EvStopped:
			x.stopped = &f
		default:
			if x.ended != nil {
				w.t.Errorf("stream %d ended twice", g.id)
			}
			x.ended = &f
		}
	case EvClosed:
		w.closed[g.conn] = g.failure()
	case EvError:
		w.t.Errorf("command %d of %d: %+v", g.aux, g.conn, g.failure())
	}
	return g
}

// echoes has n streams carry size bytes each to the server and back.
func (w *world) echoes(client uint32, n, size int) {
	w.t.Helper()
	var tubes []*tube
	for i := range n {
		x := w.tube(client, w.handle())
		x.toSend, x.fin = noise(byte(i), size), true
		w.write(CmdOpen, 0, 0, client, x.id, make([]byte, 8))
		tubes = append(tubes, x)
	}
	for _, x := range tubes {
		w.pump(x)
	}
	w.commit()
	for i, x := range tubes {
		for x.ended == nil {
			w.step()
		}
		if !x.gotFin || sha256.Sum256(x.got) != sha256.Sum256(noise(byte(i), size)) || x.ended.kind != OK {
			w.t.Errorf("stream %d: %d bytes of %d came back, end %v, %+v", i, len(x.got), size, x.gotFin, x.ended)
		}
		delete(w.tubes, [2]uint32{x.conn, x.id})
	}
}

func TestEcho(t *testing.T) {
	for _, sizes := range []struct{ commands, events uint32 }{{0, 0}, {MinRing, MinRing}} {
		for _, size := range []int{0, 1, 1000, 64 << 10, 1 << 20, 8 << 20} {
			t.Run(fmt.Sprintf("rings %d/%d", sizes.events, size), func(t *testing.T) {
				h := open(t, Config{Commands: sizes.commands, Events: sizes.events})
				w := newWorld(h)
				_, address := h.listen("alpn", "echo")
				client := h.connect(address, "alpn", "echo")
				w.echoes(client, 1, size)
			})
		}
	}
}

func TestManyStreams(t *testing.T) {
	h := open(t, Config{})
	w := newWorld(h)
	_, address := h.listen("alpn", "echo")
	client := h.connect(address, "alpn", "echo")
	w.echoes(client, 1000, 3000)
	w.echoes(client, 10, 1<<20)
}

func TestManyConnections(t *testing.T) {
	h := open(t, Config{})
	w := newWorld(h)
	_, address := h.listen("alpn", "echo")
	for range 30 {
		client := h.connect(address, "alpn", "echo")
		w.echoes(client, 3, 10_000)
		h.do(CmdClose, 0, client, 0, append(le64(7), "done"...))
	}
	for len(w.closed) < 60 {
		w.step()
	}
	for handle, f := range w.closed {
		if f.kind != ErrApplication || f.code != 7 || f.remote != w.server[handle] {
			t.Errorf("connection %d: %+v", handle, f)
		}
	}
}

// TestStreamEnds: resets and stops arrive with their codes, whoever does them, and every
// stream has one last event.
func TestStreamEnds(t *testing.T) {
	h := open(t, Config{})
	client, server := h.pair()
	w := newWorld(h)
	for _, uni := range []uint8{0, flagUni} {
		id := h.handle()
		h.write(CmdOpen, uni, 0, client, id, make([]byte, 8))
		h.do(CmdWrite, 0, client, id, []byte("hello"))
		stream := h.want(EvStream, server)
		if stream.flags != uni {
			t.Errorf("stream with flags %d, want %d", stream.flags, uni)
		}
		ours, theirs := w.tube(client, id), w.tube(server, stream.id)
		for _, g := range h.later {
			t.Logf("later %+v", g)
		}
		h.later = nil
		h.do(CmdReset, 0, client, id, le64(41))
		for theirs.reset == nil {
			w.step()
		}
		if f := theirs.reset; f.kind != ErrStream || f.code != 41 || !f.remote {
			t.Errorf("reset: %+v", f)
		}
		if uni == 0 {
			h.do(CmdStop, 0, client, id, le64(42))
			for theirs.stopped == nil {
				w.step()
			}
			if f := theirs.stopped; f.kind != ErrStream || f.code != 42 || !f.remote {
				t.Errorf("stop: %+v", f)
			}
		}
		for ours.ended == nil || theirs.ended == nil {
			w.step()
		}
	}
}

func TestDatagrams(t *testing.T) {
	h := open(t, Config{})
	client, server := h.pair()
	for _, size := range []int{0, 1, 1000, 1100} {
		want := noise(3, size)
		h.do(CmdDatagram, 0, client, 0, want)
		if g := h.want(EvDatagram, server); !bytes.Equal(g.payload, want) || g.id != 0 {
			t.Errorf("datagram of %d bytes for %d, want %d", len(g.payload), g.id, size)
		}
	}
	h.do(CmdDatagram, 0, client, 0, make([]byte, 5000))
	if f, max := h.want(EvError, client), uint64(1000); f.aux != uint16(CmdDatagram) || f.failure().kind != ErrSize || f.failure().code < max {
		t.Errorf("too large a datagram: %+v", f.failure())
	}
}

func TestStats(t *testing.T) {
	h := open(t, Config{})
	client, _ := h.pair()
	h.do(CmdStats, 0, client, 77, nil)
	g := h.want(EvStats, client)
	if len(g.payload) != 128 || g.id != 77 {
		t.Fatalf("%d bytes for %d", len(g.payload), g.id)
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(g.payload[8*i:]) }
	if at(1) == 0 || at(6) < 1200 || at(8) == 0 || at(14) < 1000 || at(15) != 1 {
		t.Errorf("figures %x", g.payload)
	}
}
