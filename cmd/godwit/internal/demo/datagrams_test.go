package demo

import (
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

// connect sends an extended CONNECT request.
func connect(t *testing.T, url, protocol string) (*http3.Tunnel, *http.Response) {
	t.Helper()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, EnableDatagrams: true}
	t.Cleanup(func() { _ = transport.Close() })
	req, err := http.NewRequest(http.MethodConnect, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header[":protocol"] = []string{protocol}
	tunnel, resp, err := transport.Connect(wtContext(t), req)
	if err != nil {
		t.Fatal(err)
	}
	return tunnel, resp
}

// TestTunnel: datagrams come back, content does not, and the server's end follows the
// client's.
func TestTunnel(t *testing.T) {
	handler := New(Options{})
	url, _ := serveHTTP3(t, handler)
	tunnel, resp := connect(t, url+"/echo", EchoProtocol)
	if resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status)
	}
	_, _ = io.WriteString(tunnel, "content that nobody wants")
	for _, want := range []string{"ping", "", strings.Repeat("x", tunnel.MaxDatagramSize())} {
		if err := tunnel.SendDatagram([]byte(want)); err != nil {
			t.Fatal(err)
		}
		if p, err := tunnel.ReceiveDatagram(wtContext(t)); err != nil || string(p) != want {
			t.Errorf("%q, %v, want %q", p, err, want)
		}
	}
	_ = tunnel.Close()
	if b, err := io.ReadAll(tunnel); err != nil || len(b) > 0 {
		t.Errorf("at the end: %q, %v", b, err)
	}
}

func TestTunnelRefused(t *testing.T) {
	handler := New(Options{})
	url, _ := serveHTTP3(t, handler)
	for _, tt := range []struct {
		path, protocol string
		status         int
		want           string
	}{
		{"/echo", "connect-udp", http.StatusNotImplemented, "only the protocol datagram-echo"},
		{"/hello", EchoProtocol, http.StatusMethodNotAllowed, "Not Allowed"},
	} {
		tunnel, resp := connect(t, url+tt.path, tt.protocol)
		text, err := io.ReadAll(resp.Body)
		if tunnel != nil || resp.StatusCode != tt.status || err != nil || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s for %s: %s, %q, %v", tt.protocol, tt.path, resp.Status, text, err)
		}
	}
}

// TestTunnelLife: a client that does not end its tunnel does not keep it for ever.
func TestTunnelLife(t *testing.T) {
	returned := make(chan struct{})
	url, _ := serveHTTP3(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if tunnel, err := http3.AcceptTunnel(w); err == nil {
			echoTunnel(tunnel, 50*time.Millisecond)
		}
		close(returned)
	}))
	tunnel, _ := connect(t, url, EchoProtocol)
	var reset *http3.Error
	if _, err := tunnel.Read(make([]byte, 1)); !errors.As(err, &reset) || !reset.Remote || reset.WholeConn {
		t.Errorf("the tunnel ended with %v", err)
	}
	<-returned
}
