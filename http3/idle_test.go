package http3

import (
	"io"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestIdleConnectionsNeedNoGoroutine opens connections, has a request answered on
// each, and then half a request waiting: nothing runs.
func TestIdleConnectionsNeedNoGoroutine(t *testing.T) {
	const count = 50
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	tr, err := quic.NewTransport("127.0.0.1:0", nil) // the clients' loop
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	var waiting []*quic.Stream
	connect := func() {
		qc, err := tr.Dial(testContext(t), ts.addr, clientTLS, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &rawConn{t: t, qc: qc}
		c.uni([]byte{0x00, 0x04, 0x00})
		readMessage(t, c.request(true, headers(getFields)))
		waiting = append(waiting, c.request(false, headers(getFields)[:4]))
	}
	connect()
	before := runtime.NumGoroutine()
	for range count {
		connect()
	}
	wantNoGoroutines(t, before)
	for _, s := range waiting {
		if _, err := s.WriteLast(headers(getFields)[4:]); err != nil {
			t.Fatal(err)
		}
		if m := readMessage(t, s); m.content != "hello" {
			t.Errorf("content %q", m.content)
		}
	}
}

// TestClientDisappears has clients vanish in the middle of an upload, a download
// and a wait; handlers end with their connections' idle timeout.
func TestClientDisappears(t *testing.T) {
	ended := make(chan struct{}, 3)
	started := make(chan struct{}, 3)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer func() { ended <- struct{}{} }()
		started <- struct{}{}
		switch r.URL.Path {
		case "/up":
			io.Copy(io.Discard, r.Body)
		case "/down":
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		case "/wait":
			<-r.Context().Done()
		}
	}, func(s *Server) { s.QUICConfig = &quic.Config{MaxIdleTimeout: 300 * time.Millisecond} })
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	tr, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	relay := startRelay(t, ts.addr)
	qc, err := tr.Dial(testContext(t), relay.LocalAddr().String(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &rawConn{t: t, qc: qc}
	for _, path := range []string{"/up", "/down", "/wait"} {
		c.request(false, join(headers(":method=POST :scheme=https :authority=a :path="+path), frame(h3.FrameData, "x")))
		<-started
	}
	relay.Close() // nothing more arrives, in either direction
	for range 3 {
		wait(t, "a handler's end", ended)
	}
	if !eventually(func() bool { return len(ts.liveConns()) == 0 }) {
		t.Error("the server still has a connection")
	}
}

// pathRelay passes datagrams between one client and a server. While it is mute, the client
// gets none.
type pathRelay struct {
	net.PacketConn
	mute atomic.Bool
}

// startRelay passes datagrams between one client and a server until it is
// closed.
func startRelay(t *testing.T, server string) *pathRelay {
	t.Helper()
	return startRelayOn(t, "127.0.0.1:0", server)
}

// startRelayOn is startRelay on an address.
func startRelayOn(t *testing.T, addr, server string) *pathRelay {
	t.Helper()
	serverAddr, err := net.ResolveUDPAddr("udp", server)
	if err != nil {
		t.Fatal(err)
	}
	sock, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	relay := &pathRelay{PacketConn: sock}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var client net.Addr
		buf := make([]byte, 1<<16)
		for {
			n, from, err := relay.ReadFrom(buf)
			if err != nil {
				return
			}
			to := client
			if from.String() != serverAddr.String() {
				client, to = from, serverAddr
			} else if relay.mute.Load() {
				continue
			}
			_, _ = relay.WriteTo(buf[:n], to)
		}
	}()
	t.Cleanup(func() {
		_ = relay.Close()
		<-ended
	})
	return relay
}
