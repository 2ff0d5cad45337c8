package http3

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// closingListener calls a function when it is closed.
type closingListener struct {
	endListener
	accepting chan struct{}
	closed    func() error
}

func (l *closingListener) Accept() (net.Conn, error) {
	close(l.accepting)
	return l.endListener.Accept()
}

func (l *closingListener) Close() error {
	return errors.Join(l.closed(), l.endListener.Close())
}

// whenClosed calls f in Close of an http.Server.
func whenClosed(f func() error) error {
	l := &closingListener{endListener{ended: make(chan struct{})}, make(chan struct{}), f}
	srv, served := new(http.Server), make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	<-l.accepting
	err := srv.Close()
	<-served
	return err
}

// TestAttachEnds: HTTP/3 ends with the http.Server, whether that is shut down, when requests
// may finish, or closed, when they are cut.
func TestAttachEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		end    func(*http.Server) error
		finish bool
	}{
		{"Shutdown", func(srv *http.Server) error { return srv.Shutdown(context.Background()) }, true},
		{"Close", (*http.Server).Close, false},
		{"Shutdown when another server is closed", func(srv *http.Server) error {
			return whenClosed(func() error { return srv.Shutdown(context.Background()) })
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leak.Check(t)
			serverTLS, clientTLS := peertest.TLS(t)
			begun, release := make(chan struct{}), make(chan struct{})
			srv := &http.Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				close(begun)
				select {
				case <-release:
					io.WriteString(w, "finished")
				case <-r.Context().Done():
				}
			})}
			if err := Attach(srv, nil); err != nil {
				t.Fatal(err)
			}
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- srv.ServeTLS(ln, "", "") }()
			transport := &Transport{TLSClientConfig: clientTLS}
			defer transport.Close()
			s := srv.Handler.(*advertiser).server
			if !eventually(func() bool { return s.altSvc.Load() != nil }) {
				t.Fatal("HTTP/3 is not served")
			}
			answered := make(chan string, 1)
			go func() {
				resp, err := transport.RoundTrip(mustRequest(t, "https://"+ln.Addr().String()))
				if err != nil {
					answered <- ""
					return
				}
				defer resp.Body.Close()
				content, _ := io.ReadAll(resp.Body)
				answered <- string(content)
			}()
			wait(t, "the request", begun)
			if err := tt.end(srv); err != nil {
				t.Error(err)
			}
			if err := wait(t, "ServeTLS", served); !errors.Is(err, http.ErrServerClosed) {
				t.Error(err)
			}
			want := ""
			if tt.finish {
				want = "finished"
				if !eventually(s.closing.Load) {
					t.Error("HTTP/3 goes on")
				}
				close(release)
			}
			if got := wait(t, "the answer", answered); got != want {
				t.Errorf("%q, want %q", got, want)
			}
			if !eventually(func() bool { return len(s.liveConns()) == 0 && s.altSvc.Load() == nil }) {
				t.Error("HTTP/3 goes on")
			}
		})
	}
}
