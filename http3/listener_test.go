package http3

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestListenerClose: requests that are running when a Listener is closed go on, whatever
// they came by, and the Server may listen anew.
func TestListenerClose(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	begun, release := make(chan struct{}), make(chan struct{})
	s := &Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			begun <- struct{}{}
			<-release
		}
		io.WriteString(w, r.Proto)
	})}
	listen := func() (ln *Listener, served chan error) {
		ln, err := s.ListenAll("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served = make(chan error, 1)
		go func() { served <- ln.Serve() }()
		return ln, served
	}
	get := func(transport http.RoundTripper, url, want string) error {
		resp, err := (&http.Client{Transport: transport}).Get(url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if content, err := io.ReadAll(resp.Body); string(content) != want {
			return errors.Join(errors.New(string(content)), err)
		}
		return nil
	}
	transports := map[string]interface {
		http.RoundTripper
		CloseIdleConnections()
	}{
		"HTTP/2.0": &http.Transport{TLSClientConfig: clientTLS.Clone(), ForceAttemptHTTP2: true},
		"HTTP/3.0": &Transport{TLSClientConfig: clientTLS},
	}
	ln, served := listen()
	answered := make(chan error, len(transports))
	for proto, transport := range transports {
		defer transport.CloseIdleConnections()
		go func() { answered <- get(transport, "https://"+ln.Addr().String()+"/slow", proto) }()
		wait(t, "a request", begun)
	}
	if err := errors.Join(ln.Close(), ln.Close()); err != nil {
		t.Error(err)
	}
	if err := wait(t, "Serve", served); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
	again, served := listen()
	for proto, transport := range transports {
		if err := get(transport, "https://"+again.Addr().String()+"/", proto); err != nil {
			t.Errorf("%s, where the server listens anew: %v", proto, err)
		}
	}
	close(release)
	for range transports {
		if err := wait(t, "a response", answered); err != nil {
			t.Error(err)
		}
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := wait(t, "Serve", served); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve: %v", err)
	}
}

// TestAdvertisedPort: when one of two addresses is not served any more, responses over TCP
// tell of the other.
func TestAdvertisedPort(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS}
	var listeners []*quic.Listener
	for range 2 {
		ln, err := s.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		s.track(ln)
		listeners = append(listeners, ln)
	}
	s.untrack(listeners[1])
	if got := s.altSvc.Load(); got == nil || *got != *altSvcOf(listeners[0]) {
		t.Errorf("Alt-Svc is %v, want %q", got, *altSvcOf(listeners[0]))
	}
	s.untrack(listeners[0])
	if got := s.altSvc.Load(); got != nil {
		t.Errorf("Alt-Svc is %q with no address left", *got)
	}
}

// TestListenAfterEnd: a server that has been shut down or closed opens no socket.
func TestListenAfterEnd(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer transport.Close()
	for name, end := range map[string]func(*Server) error{
		"Close":    (*Server).Close,
		"Shutdown": func(s *Server) error { return s.Shutdown(t.Context()) },
	} {
		s := &Server{TLSConfig: serverTLS}
		if err := end(s); err != nil {
			t.Error(err)
		}
		_, all := s.ListenAll("127.0.0.1:0")
		_, one := s.Listen("127.0.0.1:0")
		_, on := s.ListenOn(transport)
		for how, err := range map[string]error{"ListenAll": all, "Listen": one, "ListenOn": on} {
			if !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("%s after %s: %v", how, name, err)
			}
		}
	}
}

// TestServerSettings: what means nothing is refused, and the error names the field.
func TestServerSettings(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	for field, s := range map[string]*Server{
		"Server.MaxHeaderBytes":      {MaxHeaderBytes: -1},
		"Server.MaxHeaderValueCount": {MaxHeaderValueCount: -1},
		"Server.MinReadRate":         {MinReadRate: -1},
		"Server.MinWriteRate":        {MinWriteRate: -1},
		"Config.MaxIdleTimeout":      {QUICConfig: &quic.Config{MaxIdleTimeout: -1}},
		"TransportConfig.SendBatch":  {QUICTransportConfig: &quic.TransportConfig{SendBatch: 1000}},
	} {
		s.TLSConfig = serverTLS
		_, all := s.ListenAll("127.0.0.1:0")
		_, one := s.Listen("127.0.0.1:0")
		for _, err := range []error{all, one} {
			if err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
	}
}
