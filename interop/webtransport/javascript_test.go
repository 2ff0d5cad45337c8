package interop

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"testing"

	qwt "github.com/quic-go/webtransport-go"

	"github.com/godwit-quic/godwit/internal/test/jspeer"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/webtransport"
)

func TestMain(m *testing.M) { jspeer.Main(m) }

// eachRuntime runs a test with Node and with Bun.
func eachRuntime(t *testing.T, test func(t *testing.T, js *jspeer.Peer)) {
	for _, r := range []*jspeer.Runtime{jspeer.Node, jspeer.Bun} {
		js := r.Need(t, "javascript")
		t.Run(r.Name, func(t *testing.T) { test(t, js) })
	}
}

// TestJavaScriptServer has webtransport-go's client, and ours, talk to the npm package's
// server.
func TestJavaScriptServer(t *testing.T) {
	eachRuntime(t, func(t *testing.T, js *jspeer.Peer) {
		serverTLS, clientTLS := peertest.TLS(t, "h3")
		cert, key := peertest.PEM(t, serverTLS)
		line := js.Start(t, t.Context(), "serve.mjs", cert, key)
		url := "https://" + net.JoinHostPort("127.0.0.1", line())
		eachGoConfig(t, func(t *testing.T, conf *qwt.Config) {
			d := &goDialer{t, url, clientTLS, &qwt.Transport{Config: conf, ApplicationProtocols: []string{"a", "b"}}}
			s := d.dial("/echo")
			useEchoGo(t, s)
			_ = s.CloseWithError(77, "enough")
			if got := line(); got != `{"code":77,"reason":"enough"}` {
				t.Errorf("the session ended with %s", got)
			}
			takePushGo(t, d.dial("/push"))
			_, err := d.dial("/close").AcceptStream(timeout(t))
			wantClosedGo(t, err, 41, "closed by the server")
			if resp, _, err := d.try("/reject"); err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
				t.Errorf("response %v, %v, want status 404", resp, err)
			}
			if got := d.dial("/subprotocol").SessionState().ApplicationProtocol; got != "b" {
				t.Errorf("subprotocol %q, want %q", got, "b")
			}
		})
		t.Run("ours", func(t *testing.T) {
			d := &webtransport.Dialer{TLSClientConfig: clientTLS}
			s := dial(t, d, url+"/echo")
			useEcho(t, s)
			_ = s.CloseWithError(78, "goodbye")
			if got := line(); got != `{"code":78,"reason":"goodbye"}` {
				t.Errorf("the session ended with %s", got)
			}
			takePush(t, dial(t, d, url+"/push"))
			closed := dial(t, d, url+"/close")
			<-closed.Context().Done()
			wantClosed(t, context.Cause(closed.Context()), 41, "closed by the server")
			wantRefused(t, d, url+"/reject")
			wantSubprotocol(t, clientTLS, url+"/subprotocol")
		})
	})
}

// TestJavaScriptClient has the npm package's client talk to webtransport-go's server, and to
// ours.
func TestJavaScriptClient(t *testing.T) {
	serverTLS, _ := peertest.TLS(t, "h3")
	cert, _ := peertest.PEM(t, serverTLS) // all servers have the same
	eachRuntime(t, func(t *testing.T, js *jspeer.Peer) {
		eachGoConfig(t, func(t *testing.T, conf *qwt.Config) {
			url, _, ends := startGo(t, conf)
			useServer(t, js, url, cert)
			wantClosedGo(t, <-ends, 79, "enough")
		})
		t.Run("ours", func(t *testing.T) {
			url, _, _, ends := startOurs(t, webtransport.Draft15)
			useServer(t, js, url, cert)
			wantClosed(t, <-ends, 79, "enough")
		})
	})
}

// useServer has the client in JavaScript use a server's routes.
func useServer(t *testing.T, js *jspeer.Peer, url, ca string) {
	t.Helper()
	arguments := []string{url, ca}
	for _, list := range []any{sizes, codes} {
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, string(text))
	}
	var wrong []string
	line := js.Run(t, timeout(t), "client.mjs", arguments...)
	if err := json.Unmarshal([]byte(line), &wrong); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	for _, what := range wrong {
		t.Error(what)
	}
}
