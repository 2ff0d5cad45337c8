package http3

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// earlyUpgrader is one whose HTTP3 has been at its server before.
func earlyUpgrader(p *earlyPair, headStart time.Duration) *Upgrader {
	u := &Upgrader{HTTP3: p.transport, HeadStart: headStart, TCP: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusTeapot, Body: http.NoBody, Request: r}, nil
	})}
	u.once.Do(u.init)
	u.Cache.Learn("127.0.0.1:443", `h3=":443"`)
	return u
}

// TestEarlyHeadStart: a request on a connection with early data, which is there at once,
// waits for a server that does not answer no longer than the head start, and for one that
// does as long as its response takes.
func TestEarlyHeadStart(t *testing.T) {
	const headStart = 300 * time.Millisecond
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(headStart)
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		time.Sleep(headStart)
		sayEarly(w, r)
	}
	for _, tt := range []struct {
		name    string
		lost    time.Duration // for how long everything is
		methods []string      // of requests in a row
		want    int           // status
		takes   []time.Duration
	}{
		{"answers", 0, []string{"GET", "POST"}, 200, []time.Duration{2*headStart + 2*earlyRoundTrip, 2*headStart + earlyRoundTrip}},
		{"is silent", time.Hour, []string{"GET", "GET", "POST"}, http.StatusTeapot, []time.Duration{headStart, 0, 0}},
		{"is silent to an unsafe request", time.Hour, []string{"POST", "GET"}, http.StatusTeapot, []time.Duration{headStart, 0}},
	} {
		earlyBubble(t, slow, func(p *earlyPair) {
			u := earlyUpgrader(p, headStart)
			began := time.Now()
			p.net.Drop(func(netip.AddrPort, netip.AddrPort, []byte) bool { return time.Since(began) < tt.lost })
			for i, method := range tt.methods {
				start := time.Now()
				req, err := http.NewRequest(method, "https://127.0.0.1:443/", strings.NewReader(strings.Repeat("x", len(method)-3)))
				if err != nil {
					t.Fatal(err)
				}
				if method == "GET" {
					req.Body = nil
				}
				resp, err := u.RoundTrip(req)
				if err != nil {
					t.Fatalf("%s: request %d: %v", tt.name, i, err)
				}
				if _, err := io.Copy(io.Discard, resp.Body); err != nil {
					t.Errorf("%s: request %d: %v", tt.name, i, err)
				}
				resp.Body.Close()
				if took := time.Since(start); resp.StatusCode != tt.want || took > tt.takes[i]+earlyRoundTrip/2 {
					t.Errorf("%s: request %d: status %d after %v, want %d after %v", tt.name, i, resp.StatusCode, took, tt.want, tt.takes[i])
				}
			}
			if !p.sentEarly() {
				t.Errorf("%s: no early data", tt.name)
			}
			time.Sleep(upgradeTimeout)
		})
	}
}
