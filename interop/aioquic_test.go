package interop

import (
	"encoding/json"
	"net"
	"net/http"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// aioquicSizes are the transfers: aioquic is not made for speed.
var aioquicSizes = []int{0, 1, 1200, 64 << 10, 1 << 20}

// TestAioquicClient has aioquic's HTTP/3 client use our server.
func TestAioquicClient(t *testing.T) {
	python := needPython(t)
	ctx := timeout(t)
	serverTLS, _ := peertest.TLS(t, "h3")
	cert, _ := peertest.PEM(t, serverTLS)
	host, port := hostPort(t, serveHTTP3(t, serverTLS))
	line := python.run(t, ctx, filepath.Join("aioquic", "client.py"), host, port, cert)
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	want := map[string]any{
		"hello": "hello\n", "info": map[string]any{"protocol": "HTTP/3.0"}, "many": true,
		"trailers": []any{"body\n", map[string]any{"x-after": "late"}}, "sent trailers": "900150983cd2",
	}
	for _, size := range []string{"0", "1", "1200", "1048576"} {
		want["echo "+size], want["digest "+size], want["bytes "+size] = true, true, true
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("aioquic got %v,\nwant %v", got, want)
	}
}

// TestAioquicServer has our HTTP/3 client use a server of aioquic's.
func TestAioquicServer(t *testing.T) {
	python := needPython(t)
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	cert, key := peertest.PEM(t, serverTLS)
	port := python.run(t, ctx, filepath.Join("aioquic", "server.py"), cert, key)
	tr := &http3.Transport{TLSClientConfig: clientTLS}
	defer tr.Close()
	client, base := &http.Client{Transport: tr}, "https://"+net.JoinHostPort("127.0.0.1", port)
	checkContent(t, ctx, client, base, aioquicSizes)
	checkFields(t, ctx, client, base)
}
