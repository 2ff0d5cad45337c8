package interop

import (
	"net"
	"net/http"
	"os/exec"
	"strconv"
	"testing"

	quicgohttp3 "github.com/quic-go/quic-go/http3"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/test/jspeer"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

func TestMain(m *testing.M) { jspeer.Main(m) }

// eachRuntime runs a test with Node and with Bun.
func eachRuntime(t *testing.T, test func(t *testing.T, js *jspeer.Peer)) {
	for _, r := range []*jspeer.Runtime{jspeer.Node, jspeer.Bun} {
		js := r.Need(t, "javascript")
		t.Run(r.Name, func(t *testing.T) { test(t, js) })
	}
}

// TestJavaScriptServe has peers use the npm package's server: quic-go, curl, our client and
// the command.
func TestJavaScriptServe(t *testing.T) {
	python, command := needPython(t), buildGodwit(t)
	eachRuntime(t, func(t *testing.T, js *jspeer.Peer) {
		serverTLS, clientTLS := peertest.TLS(t, "h3")
		cert, key := peertest.PEM(t, serverTLS)
		base := "https://" + net.JoinHostPort("127.0.0.1", js.Run(t, t.Context(), "http.mjs", cert, key))
		t.Run("quic-go", func(t *testing.T) {
			tr := &quicgohttp3.Transport{TLSClientConfig: clientTLS}
			defer tr.Close()
			useServer(t, &http.Client{Transport: tr}, base)
		})
		t.Run("ours", func(t *testing.T) {
			tr := &http3.Transport{TLSClientConfig: clientTLS}
			defer tr.Close()
			useServer(t, &http.Client{Transport: tr}, base)
		})
		t.Run("curl", func(t *testing.T) { useCurl(t, timeout(t), python, base, cert) })
		t.Run("command", func(t *testing.T) {
			get := exec.CommandContext(timeout(t), command, "get", "--cacert", cert, base+"/hello")
			if out, err := get.CombinedOutput(); err != nil || string(out) != "hello\n" {
				t.Errorf("%v: %v\n%s", get, err, out)
			}
		})
	})
}

func useServer(t *testing.T, client *http.Client, base string) {
	ctx := timeout(t)
	checkContent(t, ctx, client, base, sizes)
	checkFields(t, ctx, client, base)
}

// TestJavaScriptFetch has the npm package's fetch use servers: quic-go's, Bun's, and ours.
func TestJavaScriptFetch(t *testing.T) {
	bun := needBun(t)
	const size = 8 << 20
	serverTLS, _ := peertest.TLS(t, "h3")
	cert, key := peertest.PEM(t, serverTLS)
	servers := []struct{ name, protocol, base string }{
		{"quic-go", "HTTP/3.0", serveQuicGoHTTP3(t, serverTLS)},
		{"Bun", "", "https://" + net.JoinHostPort("127.0.0.1", bun.run(t, t.Context(), "http3_server.mjs", cert, key))},
		{"ours", "HTTP/3.0", serveHTTP3(t, serverTLS)},
	}
	eachRuntime(t, func(t *testing.T, js *jspeer.Peer) {
		for _, s := range servers {
			t.Run(s.name, func(t *testing.T) {
				wantContent(t, js.Run(t, timeout(t), "fetch.mjs", s.base, strconv.Itoa(size), cert), s.protocol, size)
			})
		}
	})
}
