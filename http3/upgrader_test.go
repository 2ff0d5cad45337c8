package http3

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// upgradeServer serves TCP and UDP at one port and tells the protocol.
type upgradeServer struct {
	*Server
	url string
}

func serveBoth(t *testing.T, handler http.HandlerFunc) *upgradeServer {
	t.Helper()
	serverTLS, _ := peertest.TLS(t)
	s := &upgradeServer{Server: &Server{Handler: handler, TLSConfig: serverTLS, Logger: slog.New(slog.DiscardHandler)}}
	ln, err := s.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "https://" + ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	t.Cleanup(func() {
		_ = s.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s
}

func newUpgrader(t *testing.T) *Upgrader {
	_, clientTLS := peertest.TLS(t)
	u := &Upgrader{
		TCP:       &http.Transport{TLSClientConfig: clientTLS, ForceAttemptHTTP2: true},
		HeadStart: patience,
	}
	t.Cleanup(func() {
		u.CloseIdleConnections()
		_ = u.Close()
	})
	return u
}

// proto sends a request and returns the response's protocol.
func (u *Upgrader) proto(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := u.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); string(got) != body || err != nil {
		t.Errorf("%q, %v, want %q", got, err, body)
	}
	return resp.Proto
}

func echoBody(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) }

// TestAltSvcFollowed begins with HTTP/2 and goes on with HTTP/3.
func TestAltSvcFollowed(t *testing.T) {
	s := serveBoth(t, echoBody)
	u := newUpgrader(t)
	for i, want := range []string{"HTTP/2.0", "HTTP/3.0", "HTTP/3.0"} {
		if got := u.proto(t, "POST", s.url, "content"); got != want {
			t.Errorf("request %d is %s, want %s", i, got, want)
		}
	}
	u.HTTP3.CloseIdleConnections()
	if got := u.proto(t, "GET", s.url, ""); got != "HTTP/3.0" {
		t.Errorf("after closing, %s", got)
	}
}

// TestAltSvcBlocked has a server that says it has HTTP/3 where packets vanish.
func TestAltSvcBlocked(t *testing.T) {
	hole, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	s := serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", altSvcAt(hole.LocalAddr().(*net.UDPAddr).Port))
		echoBody(w, r)
	})
	u := newUpgrader(t)
	u.HeadStart = time.Millisecond
	for range 5 {
		if got := u.proto(t, "POST", s.url, "content"); got != "HTTP/2.0" {
			t.Errorf("%s, want HTTP/2.0", got)
		}
	}
}

// TestAltSvcRefused has a server that says it has HTTP/3 where nobody listens:
// it is not asked again.
func TestAltSvcRefused(t *testing.T) {
	hole, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := hole.LocalAddr().(*net.UDPAddr).Port
	hole.Close()
	s := serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", altSvcAt(port))
		echoBody(w, r)
	})
	u := newUpgrader(t)
	_, clientTLS := peertest.TLS(t)
	u.HTTP3 = &Transport{TLSClientConfig: clientTLS, QUICConfig: &quic.Config{HandshakeTimeout: 4 * short}}
	for range 3 {
		if got := u.proto(t, "POST", s.url, "content"); got != "HTTP/2.0" {
			t.Errorf("%s, want HTTP/2.0", got)
		}
	}
	origin := strings.TrimPrefix(s.url, "https://")
	if addr, ok := u.Cache.Lookup(origin); addr == "" || ok {
		t.Errorf("the cache says %q, %v", addr, ok)
	}
}

// TestAltSvcAndBack closes the server of HTTP/3 while the client uses it.
func TestAltSvcAndBack(t *testing.T) {
	other := serve(t, echoBody)
	_, port, _ := net.SplitHostPort(other.addr)
	s := serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", `h3=":`+port+`"`)
		echoBody(w, r)
	})
	u := newUpgrader(t)
	u.proto(t, "GET", s.url, "")
	if got := u.proto(t, "GET", s.url, ""); got != "HTTP/3.0" {
		t.Fatalf("%s, want HTTP/3.0", got)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if got := u.proto(t, "GET", s.url, ""); got != "HTTP/2.0" {
			t.Errorf("%s, want HTTP/2.0", got)
		}
	}
}

// TestMisdirected has an alternative that is not for the origin.
func TestMisdirected(t *testing.T) {
	s := serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 3 {
			w.WriteHeader(http.StatusMisdirectedRequest)
			return
		}
		echoBody(w, r)
	})
	u := newUpgrader(t)
	for range 3 {
		if got := u.proto(t, "POST", s.url, "content"); got != "HTTP/2.0" {
			t.Errorf("%s, want HTTP/2.0", got)
		}
	}
}

// serveElsewhere is serveBoth whose HTTP/3 is that of another server.
func serveElsewhere(t *testing.T, addr string, handler http.HandlerFunc) *upgradeServer {
	_, port, _ := net.SplitHostPort(addr)
	return serveBoth(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", `h3=":`+port+`"`)
		handler(w, r)
	})
}

// TestAltSvcUnsent has requests that HTTP/3 cannot send, or that its server has not
// processed: TCP sends them, with their content.
func TestAltSvcUnsent(t *testing.T) {
	small := serve(t, echoBody, func(s *Server) { s.MaxHeaderBytes = 8 << 10 })
	rejecting := serveRaw(t, func(_ int64, s *quic.Stream) {
		readRequest(s)
		reject(s)
	})
	leaving := serveRaw(t, func(_ int64, s *quic.Stream) {
		readRequest(s)
		goAway(s)
	})
	for _, tt := range []struct {
		name, addr string
		field      int // bytes
	}{
		{"header larger than the server's limit", small.addr, 20 << 10},
		{"rejected", rejecting.addr, 0},
		{"after GOAWAY", leaving.addr, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serveElsewhere(t, tt.addr, echoBody)
			u := newUpgrader(t)
			for range 3 {
				req := mustRequest(t, s.url)
				req.Method = "POST"
				req.Body, req.GetBody = io.NopCloser(strings.NewReader("content")), func() (io.ReadCloser, error) {
					return io.NopCloser(strings.NewReader("content")), nil
				}
				req.Header.Set("X-Large", strings.Repeat("x", tt.field))
				resp, err := u.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				content, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if string(content) != "content" || err != nil || resp.Proto != "HTTP/2.0" {
					t.Errorf("%s: %q, %v", resp.Proto, content, err)
				}
			}
		})
	}
}

// TestAltSvcOnce has responses that cannot be used: the request was processed, and
// is not sent over TCP as well.
func TestAltSvcOnce(t *testing.T) {
	var handled atomic.Int64
	count := func(w http.ResponseWriter, r *http.Request) {
		handled.Add(1)
		w.Header().Set("X-Large", strings.Repeat("x", 20<<10))
	}
	other := serve(t, count)
	s := serveElsewhere(t, other.addr, count)
	u := newUpgrader(t)
	_, clientTLS := peertest.TLS(t)
	u.HTTP3 = &Transport{TLSClientConfig: clientTLS, MaxResponseHeaderBytes: 8 << 10}
	u.proto(t, "GET", s.url, "")
	resp, err := u.RoundTrip(mustRequest(t, s.url))
	if err == nil {
		resp.Body.Close()
		t.Errorf("%s, want an error", resp.Proto)
	}
	if n := handled.Load(); n != 2 {
		t.Errorf("%d requests were processed, want 2", n)
	}
}

// TestAltSvcUsedDirectly: requests that are given to HTTP3 go to the alternative, though it
// has failed of late, and not to the origin's own port, where nobody may be.
func TestAltSvcUsedDirectly(t *testing.T) {
	s := serveBoth(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	a := newUpgrader(t)
	const origin = "127.0.0.1:1" // nobody is there
	a.Cache = new(AltSvcCache)
	a.Cache.Learn(origin, `h3="`+strings.TrimPrefix(s.url, "https://")+`"`)
	a.Cache.failed(origin, errHeadStart)
	a.CloseIdleConnections() // the first thing that happens to it
	for what, transport := range map[string]http.RoundTripper{"HTTP3": a.HTTP3, "itself": a} {
		resp, err := transport.RoundTrip(mustRequest(t, "https://"+origin))
		if what == "itself" {
			if err == nil {
				t.Error("an alternative that has just failed was used")
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(content) != origin || err != nil {
			t.Errorf("%s: %q, %v", what, content, err)
		}
	}
}
