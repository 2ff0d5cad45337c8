package interop

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	qhttp3 "github.com/quic-go/quic-go/http3"
	qwt "github.com/quic-go/webtransport-go"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/webtransport"
)

// TestWebTransportGoServer has our client talk to webtransport-go's server.
func TestWebTransportGoServer(t *testing.T) {
	eachGoConfig(t, func(t *testing.T, conf *qwt.Config) {
		url, clientTLS, ends := startGo(t, conf)
		d := &webtransport.Dialer{TLSClientConfig: clientTLS}
		t.Run("echo", func(t *testing.T) {
			s := dial(t, d, url+"/echo")
			if s.Draft() != webtransport.Draft15 || s.FlowControlled() != (conf != nil) {
				t.Errorf("%v, flow control %v", s.Draft(), s.FlowControlled())
			}
			useEcho(t, s)
			_ = s.CloseWithError(78, "goodbye")
			wantClosedGo(t, <-ends, 78, "goodbye")
		})
		t.Run("push", func(t *testing.T) { takePush(t, dial(t, d, url+"/push")) })
		t.Run("close", func(t *testing.T) {
			s := dial(t, d, url+"/close")
			<-s.Context().Done()
			wantClosed(t, context.Cause(s.Context()), 41, "closed by the server")
		})
		t.Run("rejection", func(t *testing.T) { wantRefused(t, d, url+"/reject") })
		t.Run("subprotocol", func(t *testing.T) { wantSubprotocol(t, clientTLS, url+"/subprotocol") })
	})
}

// startGo starts webtransport-go's server, and returns where it is and how sessions
// of /echo end.
func startGo(t *testing.T, conf *qwt.Config) (url string, client *tls.Config, ends <-chan error) {
	t.Helper()
	serverTLS, clientTLS := peertest.TLS(t, "h3")
	ended := make(chan error, 1)
	mux := http.NewServeMux()
	h3 := &qhttp3.Server{TLSConfig: serverTLS, Handler: mux}
	srv := &qwt.Server{H3: h3, Config: conf, ApplicationProtocols: []string{"b"}}
	route := func(path string, use func(*qwt.Session)) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			s, err := srv.Upgrade(w, r)
			if err != nil {
				t.Errorf("%s: %v", path, err)
				return
			}
			use(s)
		})
	}
	route("/echo", func(s *qwt.Session) { ended <- serveEchoGo(s) })
	route("/push", func(s *qwt.Session) {
		if err := pushGo(s); err != nil && s.Context().Err() == nil {
			t.Error(err)
		}
	})
	route("/close", func(s *qwt.Session) { _ = s.CloseWithError(41, "closed by the server") })
	route("/subprotocol", func(*qwt.Session) {})
	qwt.ConfigureHTTP3Server(h3)
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(conn) }()
	t.Cleanup(func() {
		_ = srv.Close()
		_ = conn.Close()
	})
	return "https://" + conn.LocalAddr().String(), clientTLS, ended
}

// serveEchoGo is serveEcho for webtransport-go's end. It returns how the session
// ended.
func serveEchoGo(s *qwt.Session) error {
	ctx := context.Background()
	go func() {
		for {
			p, err := s.ReceiveDatagram(ctx)
			if err != nil {
				return
			}
			_ = s.SendDatagram(p)
		}
	}()
	go func() {
		for {
			in, err := s.AcceptUniStream(ctx)
			if err != nil {
				return
			}
			go func() {
				if out, err := s.OpenUniStreamSync(ctx); err == nil {
					_, _ = io.Copy(out, in)
					_ = out.Close()
				}
			}()
		}
	}()
	for {
		st, err := s.AcceptStream(ctx)
		if err != nil {
			return err
		}
		go func() {
			_, err := io.Copy(st, st)
			var cancelled *qwt.StreamError
			if errors.As(err, &cancelled) {
				st.CancelWrite(cancelled.ErrorCode)
				st.CancelRead(cancelled.ErrorCode)
			}
			_ = st.Close()
			_ = st.SetReadDeadline(time.Now()) // nothing is read any more
		}()
	}
}

// pushGo is push for webtransport-go's end.
func pushGo(s *qwt.Session) error {
	ctx := s.Context()
	both, err := s.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	one, err := s.OpenUniStreamSync(ctx)
	if err != nil {
		return err
	}
	for _, w := range []io.WriteCloser{both, one} {
		if _, err := io.WriteString(w, "hello"); err != nil {
			return err
		}
		_ = w.Close()
	}
	if err := s.SendDatagram([]byte("hello")); err != nil {
		return err
	}
	reset, err := s.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	reset.CancelWrite(7) // only the header must arrive
	return nil
}
