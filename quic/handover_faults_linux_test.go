package quic

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/relay"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
)

// oneLoop is a configuration whose transports do one thing after the other.
var oneLoop = &TransportConfig{Loops: 1}

// handOver replaces a server by another one, and does not shut it down.
func (g *generation) handOver(t *testing.T) *generation {
	t.Helper()
	ours, theirs := unixPair(t)
	defer ours.Close()
	defer theirs.Close()
	handed := make(chan error, 1)
	go func() { handed <- g.Transport().HandOver(t.Context(), ours) }()
	next := newGeneration(t, "", &TransportConfig{Predecessor: theirs}, nil)
	if err := <-handed; err != nil {
		t.Fatal(err)
	}
	return next
}

// askOnce asks on a connection of its own.
func askOnce(t *testing.T, from *Transport, addr string) {
	t.Helper()
	_, clientTLS := peertest.TLS(t, "test")
	c, err := from.Dial(t.Context(), addr, clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	if _, err := ask(t.Context(), c, "anybody"); err != nil {
		t.Error(err)
	}
}

// TestHandOverOnce: sockets have one reader. Who wants to be the second successor, or to hand
// over what is not his yet, is told so.
func TestHandOverOnce(t *testing.T) {
	leak.Check(t)
	server := newGeneration(t, "127.0.0.1:0", oneLoop, nil)
	defer server.Transport().Close()
	client, err := NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	refused := func(tr *Transport, want string) {
		t.Helper()
		ours, theirs := unixPair(t)
		theirs.Close()
		if err := tr.HandOver(t.Context(), ours); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}

	ours, theirs := unixPair(t)
	handed := make(chan error, 1)
	go func() { handed <- server.Transport().HandOver(t.Context(), ours) }()
	if _, err := theirs.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	refused(server.Transport(), "a successor already") // or about to be
	theirs.Close()
	if err := <-handed; err == nil {
		t.Error("handed over to nobody")
	}

	ours, theirs = unixPair(t)
	go func() { handed <- server.Transport().HandOver(t.Context(), ours) }()
	silent, err := NewTransport("", &TransportConfig{Predecessor: theirs})
	if err != nil {
		t.Fatal(err)
	}
	refused(silent, "until the transport listens")
	silent.Close()
	theirs.Close()
	if err := <-handed; err == nil {
		t.Error("handed over to one that does not listen")
	}

	next := server.handOver(t)
	refused(server.Transport(), "a successor already")
	askOnce(t, client, server.Addr().String())
	next.Transport().Close()
	askOnce(t, client, server.Addr().String())
	next = server.handOver(t)
	askOnce(t, client, server.Addr().String())
	next.Transport().Close()
}

// descriptors counts what the process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestHandOverDescriptors: nothing stays open of successors that came and went, that never
// listened, or that could not use what they got.
func TestHandOverDescriptors(t *testing.T) {
	leak.Check(t)
	server := newGeneration(t, "127.0.0.1:0", oneLoop, nil)
	defer server.Transport().Close()
	client, err := NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	round := func() {
		server.handOver(t).Transport().Close()
		askOnce(t, client, server.Addr().String()) // when the sockets are read again

		ours, theirs := unixPair(t)
		handed := make(chan error, 1)
		go func() { handed <- server.Transport().HandOver(t.Context(), ours) }()
		silent, err := NewTransport("", &TransportConfig{Predecessor: theirs})
		if err != nil {
			t.Fatal(err)
		}
		silent.Close()
		theirs.Close()
		if err := <-handed; err == nil {
			t.Error("handed over to one that does not listen")
		}
		ours.Close()

		ours, theirs = unixPair(t)
		sendConnected(t, ours)
		if tr, err := NewTransport("", &TransportConfig{Predecessor: theirs}); err == nil || !strings.Contains(err.Error(), "connected") {
			t.Errorf("%v, %v", tr, err)
		}
		ours.Close()
		theirs.Close()
	}
	round()
	before := descriptors(t)
	for range 3 {
		round()
	}
	if after := descriptors(t); after != before {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
	links := &server.Transport().links
	links.mu.Lock()
	defer links.mu.Unlock()
	if n := len(links.open); n != 0 {
		t.Errorf("%d links are remembered", n)
	}
}

// sendConnected leaves a connected socket and a usual one to a successor.
func sendConnected(t *testing.T, to *net.UnixConn) {
	t.Helper()
	usual := listenUDP(t)
	defer usual.Close()
	connected, err := net.Dial("udp", usual.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connected.Close()
	var files []*os.File
	defer func() { closeFiles(files) }()
	for _, c := range []*net.UDPConn{connected.(*net.UDPConn), usual} {
		f, err := c.File()
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	for range 2 {
		ours, theirs, err := relay.Pair()
		if err != nil {
			t.Fatal(err)
		}
		defer ours.Close()
		files = append(files, theirs)
	}
	if err := sendHeritage(to, new(TransportConfig).newHeritage(), files); err != nil {
		t.Fatal(err)
	}
}

// TestSuccessorDies: when a successor dies while its predecessor waits for its connections to
// end, they live on, new clients are told that there is no server, and another successor may
// come.
func TestSuccessorDies(t *testing.T) {
	leak.Check(t)
	server := newGeneration(t, "127.0.0.1:0", oneLoop, nil)
	defer server.Transport().Close()
	_, clientTLS := peertest.TLS(t, "test")
	client, err := NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	addr := server.Addr().String()
	stay, err := client.Dial(ctx, addr, clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	next := server.handOver(t)
	server.beginShutdown()
	go func() { server.ended <- server.Shutdown(context.Background()) }()
	askOnce(t, client, addr)
	next.Transport().Close()
	if _, err := ask(ctx, stay, "still here"); err != nil {
		t.Fatal(err)
	}
	_, err = client.Dial(ctx, addr, clientTLS, nil)
	if refused := wantError[*TransportError](t, "a client of nobody", err); refused.Code != uint64(wire.ConnectionRefused) {
		t.Errorf("%v, want CONNECTION_REFUSED", err)
	}
	next = server.handOver(t)
	defer next.Transport().Close()
	askOnce(t, client, addr)
	if _, err := ask(ctx, stay, "still here"); err != nil {
		t.Error(err)
	}
	stay.CloseWithError(0, "")
	if err := <-server.ended; err != nil {
		t.Error(err)
	}
}

// TestMiddleDies: when a process dies that has left the sockets to another one, its own
// predecessor does not begin to read them beside that.
func TestMiddleDies(t *testing.T) {
	leak.Check(t)
	first := newGeneration(t, "127.0.0.1:0", oneLoop, nil)
	defer first.Transport().Close()
	client, err := NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	middle := first.handOver(t)
	last := middle.handOver(t)
	defer last.Transport().Close()
	middle.Transport().Close()
	for first.Transport().successors.Load() > 0 || last.Transport().predecessors.Load() > 0 {
		runtime.Gosched()
	}
	before := first.Transport().Stats().ReceivedDatagrams
	for range 10 {
		askOnce(t, client, first.Addr().String())
	}
	if after := first.Transport().Stats().ReceivedDatagrams; after != before {
		t.Errorf("the first process has read %d datagrams", after-before)
	}
}

// TestHeritage: a successor knows its predecessor's tokens, and takes nothing from one that
// says nonsense.
func TestHeritage(t *testing.T) {
	leak.Check(t)
	server := newGeneration(t, "127.0.0.1:0", oneLoop, nil)
	defer server.Transport().Close()
	next := server.handOver(t)
	defer next.Transport().Close()
	if got, want := next.Transport().heritage.TokenSecrets, server.Transport().heritage.TokenSecrets; !slices.Equal(got, want) {
		t.Error("the successor makes tokens with other keys")
	}

	good := new(TransportConfig).newHeritage()
	for want, change := range map[string]func(*heritage){
		"it has no keys":          func(h *heritage) { h.ResetKeys = nil },
		"no keys":                 func(h *heritage) { h.TokenSecrets = [][32]byte{{1}, {}} },
		"not a socket and a link": func(*heritage) {},
	} {
		h := *good
		change(&h)
		text, err := json.Marshal(&h)
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := unixPair(t)
		if _, err := ours.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)); err != nil {
			t.Fatal(err)
		}
		_, err = NewTransport("", &TransportConfig{Predecessor: theirs})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
