package interop

import (
	"context"
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// curlHTTP3 is how libcurl names HTTP/3 (CURL_HTTP_VERSION_3).
const curlHTTP3 = 30.0

// TestCurl has libcurl use our server over HTTP/3. Debian's curl has no HTTP/3; the
// libcurl in the Python package curl_cffi has, by ngtcp2.
func TestCurl(t *testing.T) {
	python := needPython(t)
	ctx := timeout(t)
	serverTLS, _ := peertest.TLS(t, "h3")
	cert, _ := peertest.PEM(t, serverTLS)
	useCurl(t, ctx, python, serveHTTP3(t, serverTLS), cert)
}

// useCurl has it use the routes of a server.
func useCurl(t *testing.T, ctx context.Context, python python, base, ca string) {
	t.Helper()
	line := python.run(t, ctx, filepath.Join("curl", "client.py"), base, ca)
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	t.Log(got["version"])
	delete(got, "version")
	want := map[string]any{
		"hello": []any{curlHTTP3, "hello\n"}, "info": map[string]any{"protocol": "HTTP/3.0"},
		"head": "5000", "trailers": []any{"body\n", "late"},
	}
	for _, size := range []string{"0", "1", "1200", "1048576", "8388608"} {
		want["echo "+size], want["digest "+size], want["bytes "+size] = true, true, true
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("curl got %v,\nwant %v", got, want)
	}
}
