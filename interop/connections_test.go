package interop

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestFiftyConnections downloads on fifty connections at once.
func TestFiftyConnections(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	base := serveHTTP3(t, serverTLS)
	const size = 1 << 20
	var wg sync.WaitGroup
	for range 50 {
		tr := &http3.Transport{TLSClientConfig: clientTLS}
		defer tr.Close()
		wg.Go(func() {
			req, err := http.NewRequestWithContext(ctx, "GET", base+"/bytes/1048576", nil)
			if err != nil {
				t.Error(err)
				return
			}
			res, err := tr.RoundTrip(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			if n, err := io.Copy(io.Discard, res.Body); n != size || err != nil {
				t.Errorf("got %d bytes, %v; want %d", n, err, size)
			}
		})
	}
	wg.Wait()
}

// TestKilledClient kills a client in the middle of a download: after the idle
// timeout the server has neither a connection nor a goroutine left of it.
func TestKilledClient(t *testing.T) {
	path := buildGodwit(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	leak.Check(t)
	serverTLS, _ := peertest.TLS(t, "h3")
	ended := make(chan error, 1)
	srv := &http3.Server{
		TLSConfig:  serverTLS,
		QUICConfig: &quic.Config{MaxIdleTimeout: time.Second},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var err error
			for piece := make([]byte, 64<<10); err == nil; {
				_, err = w.Write(piece) // until the client is gone
			}
			ended <- err
		}),
	}
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()

	get := exec.CommandContext(ctx, path, "get", "-k", "-s", "--http3-only", "https://"+ln.Addr().String()+"/")
	out, err := get.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := get.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, out, 50<<20); err != nil {
		t.Fatal(err)
	}
	if err := get.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = get.Wait() // it was killed
	select {
	case err := <-ended:
		t.Logf("the handler's write ended with: %v", err)
	case <-ctx.Done():
		t.Fatal("the handler still writes")
	}
	for ln.Transport().Stats().Connections > 0 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("the server still has the connection")
		}
	}
}
