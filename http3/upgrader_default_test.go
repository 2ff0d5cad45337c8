package http3

import (
	"io"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// roundTripFunc is an http.RoundTripper.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// byDefault sends a request by whatever is http.DefaultTransport then.
var byDefault = roundTripFunc(func(req *http.Request) (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) })

// TestUpgraderAsDefault puts an Upgrader where requests over TCP come from, in all
// the ways in which it could lead to itself.
func TestUpgraderAsDefault(t *testing.T) {
	own := http.DefaultTransport.(*http.Transport)
	for _, tt := range []struct {
		name    string
		install func(tr *http.Transport) *Upgrader
	}{
		{"default", func(*http.Transport) *Upgrader {
			u := new(Upgrader)
			http.DefaultTransport = u
			return u
		}},
		{"default, wrapped", func(*http.Transport) *Upgrader {
			u := new(Upgrader)
			http.DefaultTransport = roundTripFunc(u.RoundTrip)
			return u
		}},
		{"default, wrapped twice", func(*http.Transport) *Upgrader {
			inner := new(Upgrader)
			outer := &Upgrader{TCP: roundTripFunc(inner.RoundTrip)}
			http.DefaultTransport = outer
			return outer
		}},
		{"default, named as TCP", func(*http.Transport) *Upgrader {
			u := &Upgrader{TCP: byDefault}
			http.DefaultTransport = u
			return u
		}},
		{"default client", func(*http.Transport) *Upgrader {
			u := new(Upgrader)
			u.TCP = roundTripFunc(func(req *http.Request) (*http.Response, error) {
				again := req.Clone(req.Context())
				again.RequestURI = ""
				return http.DefaultClient.Do(again)
			})
			http.DefaultClient.Transport = u
			return u
		}},
		{"in a circle", func(*http.Transport) *Upgrader {
			a, b := new(Upgrader), new(Upgrader)
			a.TCP, b.TCP = b, a
			return a
		}},
		{"its own TCP", func(*http.Transport) *Upgrader {
			u := new(Upgrader)
			u.TCP = u
			return u
		}},
		{"registered", func(tr *http.Transport) *Upgrader {
			u := &Upgrader{TCP: tr}
			tr.RegisterProtocol("https", u)
			return u
		}},
		{"registered with the default", func(tr *http.Transport) *Upgrader {
			u := new(Upgrader)
			http.DefaultTransport = tr
			tr.RegisterProtocol("https", u)
			return u
		}},
		{"transport in place of the default", func(tr *http.Transport) *Upgrader {
			http.DefaultTransport = tr
			return new(Upgrader)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := serveBoth(t, echoBody)
			_, clientTLS := peertest.TLS(t)
			own.TLSClientConfig = clientTLS
			tr := &http.Transport{TLSClientConfig: clientTLS, ForceAttemptHTTP2: true}
			u := tt.install(tr)
			defer func() {
				own.CloseIdleConnections()
				tr.CloseIdleConnections()
				own.TLSClientConfig = nil
				http.DefaultTransport, http.DefaultClient.Transport = own, nil
			}()
			defer u.closeHTTP3()
			if got := u.proto(t, "POST", s.url, "content"); got == "HTTP/3.0" {
				t.Errorf("first request by %s", got)
			}
		})
	}
}

// TestUpgraderSetLater becomes the default after its first request, which then leads
// to it.
func TestUpgraderSetLater(t *testing.T) {
	own := http.DefaultTransport
	defer func() { http.DefaultTransport = own }()
	s := serveBoth(t, echoBody)
	_, clientTLS := peertest.TLS(t)
	tr := &http.Transport{TLSClientConfig: clientTLS, ForceAttemptHTTP2: true}
	defer tr.CloseIdleConnections()
	http.DefaultTransport = tr
	u := &Upgrader{TCP: byDefault, HTTP3: &Transport{TLSClientConfig: clientTLS}, HeadStart: patience}
	defer u.closeHTTP3()
	if got := u.proto(t, "GET", s.url, ""); got != "HTTP/2.0" {
		t.Error(got)
	}
	http.DefaultTransport = u
	resp, err := http.Get(s.url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err != nil || resp.Proto != "HTTP/3.0" {
		t.Error(resp.Proto, err)
	}
}

// closeHTTP3 closes the connections over HTTP/3 alone.
func (u *Upgrader) closeHTTP3() {
	u.once.Do(u.init)
	_ = u.HTTP3.Close()
}
