package port

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/quic/event"
)

// failedWith waits for the port's failure, and returns what is said of it.
func (h *host) failedWith() string {
	h.t.Helper()
	<-h.replied
	if state := atomic.LoadUint32(h.mem.u32(offState)); state != stateFailed {
		h.t.Fatalf("state %d", state)
	}
	return string(h.mem[offReplyText : offReplyText+*h.mem.u32(offReplyLength)])
}

// A panic on a loop, and one in a goroutine of the port's, is the port's failure and no
// more: the host reads why and closes it.
func TestPanic(t *testing.T) {
	t.Run("loop", func(t *testing.T) {
		h := open(t, Config{})
		client, _ := h.pair()
		event.Run(h.port.find(client).(*conn).q, func(event.Turn) { panic("of the loop") })
		if text := h.failedWith(); !strings.HasPrefix(text, "panic: of the loop\n") {
			t.Error(text)
		}
	})
	t.Run("goroutine", func(t *testing.T) {
		h := open(t, Config{})
		h.port.start(func() { panic("of a goroutine") })
		if text := h.failedWith(); !strings.HasPrefix(text, "panic: of a goroutine\n") {
			t.Error(text)
		}
	})
}

// A host that stops reading its events keeps what it is sent at the peer, but for what
// fits into the ring and datagrams, and loses nothing else when it goes on.
func TestHostStops(t *testing.T) {
	h := openUnwatched(t, Config{})
	peer := open(t, Config{})
	t.Cleanup(h.close)
	_, address := h.listen("alpn", "test")
	client := peer.connect(address, "alpn", "test")
	server := h.want(EvAccepted, 0).conn
	peer.want(EvConnected, client)
	const streams, size = 20, defaultWindow
	content := noise(9, size)
	for id := range uint32(streams) {
		peer.do(CmdOpen, 0, client, id+1, make([]byte, 8))
		for at := 0; at < size; at += size / 16 {
			fin := uint8(0)
			if at == size-size/16 {
				fin = flagFin
			}
			peer.do(CmdWrite, fin, client, id+1, content[at:at+size/16])
		}
	}
	for range 2 * maxLateDatagrams {
		peer.do(CmdDatagram, 0, client, 0, make([]byte, 1000))
	}
	peer.do(CmdStats, 0, client, 0, nil)
	peer.want(EvStats, client)
	if waits := h.port.ev.backlog(); waits > maxBacklog {
		t.Errorf("%d bytes of events wait", waits)
	}
	got := make(map[uint32]int)
	for ended := 0; ended < streams; {
		g := h.event()
		switch {
		case g.Event == EvData && g.conn == server:
			if string(g.payload) != string(content[got[g.id]:][:len(g.payload)]) {
				t.Fatalf("other bytes at %d", got[g.id])
			}
			got[g.id] += len(g.payload)
			if g.fin() {
				ended++
			}
		case g.Event == EvClosed:
			t.Fatalf("closed: %+v", g.failure())
		}
	}
	for id, n := range got {
		if n != size {
			t.Errorf("%d bytes of stream %d", n, id)
		}
	}
}

// Datagrams that wait for a host which does not read its events are part of what all
// connections may hold, until it reads them.
func TestLateDatagramsCount(t *testing.T) {
	h, peer := openUnwatched(t, Config{}), open(t, Config{})
	t.Cleanup(h.close)
	handle, address := h.listen("alpn", "test")
	client := peer.connect(address, "alpn", "test")
	h.want(EvAccepted, 0)
	peer.want(EvConnected, client)
	h.port.mu.Lock()
	ln := h.port.targets[handle].(*listener).ln
	h.port.mu.Unlock()
	held := func() int64 { return ln.Transport().Stats().BufferedBytes }
	before := held()
	for range 64 {
		for range 64 {
			peer.do(CmdDatagram, 0, client, 0, make([]byte, 1000))
		}
		peer.do(CmdStats, 0, client, 0, nil)
		peer.want(EvStats, client)
	}
	const some = 512 << 10
	if more := held() - before; more < some {
		t.Fatalf("%d bytes more are counted, want more than %d", more, some)
	}
	for held()-before >= some {
		if g := h.event(); g.Event != EvDatagram {
			t.Fatalf("%+v", g)
		}
	}
}

// Whatever the options of a listener or a connection are, each command has its answer, and
// the port lives.
func TestGarbageOptions(t *testing.T) {
	h := open(t, Config{})
	r := rand.New(rand.NewPCG(7, 7))
	names := []string{"address", "protocol", "alpn", "window", "datagrams", "cert", "key", "ca", "certificate_hashes", "max_streams", "retry",
		"reset_key", "webtransport", "max_sessions", "max_header", "client_auth", "idle_timeout", "insecure", "server_name", "colour"}
	values := []string{"", "0", "1", "-1", "99999999999999999999", "quic", "h3", "127.0.0.1:0", "127.0.0.1:1", "127.0.0.1:99999", "[::1", ":", "a,b,,c",
		"\x00", strings.Repeat("z", 5000), "zz:zz", "require", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}
	for range 300 {
		options := []string{}
		for range r.IntN(6) {
			options = append(options, names[r.IntN(len(names))], values[r.IntN(len(values))])
		}
		payload := appendFields(nil, pairs(options...))
		if r.IntN(3) == 0 {
			payload = garbage(r)
		}
		handle := h.handle()
		if r.IntN(2) == 0 {
			h.do(CmdListen, flagCall, handle, 0, payload)
			<-h.replied
		} else {
			h.do(CmdConnect, 0, handle, 0, payload)
			h.do(CmdClose, 0, handle, 0, le64(0))
			h.want(EvClosed, handle)
		}
	}
	h.pair()
}
