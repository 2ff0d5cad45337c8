package quic

import (
	"runtime"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/udp"
)

// Several loops on one address serve many connections, each on its own loop.
func TestLoops(t *testing.T) {
	if runtime.GOOS != "linux" {
		peertest.LeaveOut(t, "several loops", "run it on Linux")
	}
	e := newEnvWith(t, nil, nil, setup{serverOn: &TransportConfig{Loops: 3}, clientOn: &TransportConfig{Loops: 2}})
	e.serveEcho()
	var wg sync.WaitGroup
	for i := range 40 {
		c := e.dial()
		wg.Go(func() {
			if err := e.echo(c, 3, int64(20_000+i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	used := 0
	for _, w := range e.listener.Transport().workers {
		if s := w.Stats(); s.Endpoint.Accepted > 0 {
			used++
		}
		if s := w.Stats(); s.Endpoint.UnknownID > 0 {
			t.Errorf("a loop got %d packets of other loops' connections", s.Endpoint.UnknownID)
		}
	}
	if used < 2 {
		t.Errorf("%d of 3 loops accepted the 40 connections", used)
	}
}

// Without the kernel's filter, a loop hands over what is another's: here the
// kernel goes by addresses, and each loop of the client sends to both.
func TestLoopsHandOver(t *testing.T) {
	if runtime.GOOS != "linux" {
		peertest.LeaveOut(t, "several loops", "run it on Linux")
	}
	leak.Check(t)
	e := newEnv(t, nil, nil)
	e.serveEcho()
	group, err := udp.ListenGroup("127.0.0.1:0", 4, nil, udp.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var socks []loop.Socket
	for _, s := range group.Sockets {
		socks = append(socks, s)
	}
	tr := newTransport(socks, &TransportConfig{})
	defer tr.Close()
	for range 8 { // all answers arrive at the one socket that the server's address leads to
		c, err := tr.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.echo(c, 2, 100_000); err != nil {
			t.Error(err)
		}
	}
	got := 0
	for _, w := range tr.workers {
		if w.SocketStats().ReceivedDatagrams > 0 {
			got++
		}
	}
	if got != 1 {
		t.Errorf("%d sockets received, want 1: nothing was handed over", got)
	}
}
