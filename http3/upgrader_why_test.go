package http3

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestOverTCP: each request that goes over TCP has a reason, of which OverTCP is told once,
// and one that goes over HTTP/3 has none.
func TestOverTCP(t *testing.T) {
	hole, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hole.Close()
	answering := serve(t, echoBody)
	misdirecting := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMisdirectedRequest) })
	rejecting := serveRaw(t, func(_ int64, s *quic.Stream) {
		readRequest(s)
		reject(s)
	})
	broken := errors.New("broken")
	const origin = "origin.test:443"
	for _, tt := range []struct {
		name string
		at   string // where HTTP/3 is said to be, "" for nothing said
		edit func(*Upgrader, *http.Request)
		want error
		text string
	}{
		{name: "answered", at: answering.addr},
		{name: "no https", want: errNotHTTPS, edit: func(_ *Upgrader, r *http.Request) { r.URL.Scheme = "http" }},
		{name: "not advertised", want: errNoAltSvc},
		{name: "proxy", at: answering.addr, want: errProxied, edit: func(u *Upgrader, _ *http.Request) {
			u.TCP = &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New("no proxy is there") }}
		}},
		{name: "failed before", at: answering.addr, want: broken, text: "left alone until", edit: func(u *Upgrader, _ *http.Request) {
			u.Cache.failed(origin, broken)
		}},
		{name: "silent", at: hole.LocalAddr().String(), want: errHeadStart, edit: func(u *Upgrader, _ *http.Request) { u.HeadStart = time.Millisecond }},
		{name: "cannot be dialled", at: answering.addr, text: "MaxResponseHeaderBytes", edit: func(u *Upgrader, _ *http.Request) {
			u.HTTP3.MaxResponseHeaderBytes = -1
		}},
		{name: "cannot be sent", at: answering.addr, text: "X-Bad", edit: func(_ *Upgrader, r *http.Request) { r.Header["X-Bad"] = []string{"\n"} }},
		{name: "misdirected", at: misdirecting.addr, want: errAlternative},
		{name: "rejected", at: rejecting.addr, text: "H3_REQUEST_REJECTED"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, clientTLS := peertest.TLS(t)
			var reasons []error
			u := &Upgrader{
				HTTP3: &Transport{TLSClientConfig: clientTLS}, Cache: new(AltSvcCache), HeadStart: patience,
				TCP: roundTripFunc(func(r *http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody, Request: r}, nil
				}),
				OverTCP: func(_ *http.Request, why error) { reasons = append(reasons, why) },
			}
			defer u.HTTP3.Close()
			if tt.at != "" {
				u.Cache.Learn(origin, `h3="`+tt.at+`"`)
			}
			req := mustRequest(t, "https://"+origin)
			if tt.edit != nil {
				tt.edit(u, req)
			}
			resp, err := u.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if tt.want == nil && tt.text == "" {
				if len(reasons) > 0 || err != nil || resp.ProtoMajor != 3 {
					t.Errorf("%v, %v; over TCP for %v", resp, err, reasons)
				}
				return
			}
			if len(reasons) != 1 || reasons[0] == nil {
				t.Fatalf("told of %v", reasons)
			}
			if why := reasons[0]; tt.want != nil && !errors.Is(why, tt.want) || !strings.Contains(why.Error(), tt.text) {
				t.Errorf("told of %v, want %v %s", why, tt.want, tt.text)
			}
		})
	}
}
