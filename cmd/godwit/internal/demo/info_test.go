package demo

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/godwit-quic/godwit/http3"
)

// TestInfoStatistics: of a request over QUIC, /info tells the connection's
// statistics.
func TestInfoStatistics(t *testing.T) {
	handler := New(Options{})
	srv := &http3.Server{Handler: handler}
	ln, err := srv.ListenAll("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	client := &http.Client{Transport: transport}

	var got info
	for range 2 { // statistics are those of the event loop's last turn, so let one pass
		_, body := do(t, client, "GET", "https://"+ln.Addr().String()+"/info", nil)
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
	}
	if got.Protocol != "HTTP/3.0" || got.TLS == nil || got.TLS.ALPN != "h3" {
		t.Errorf("%+v", got)
	}
	if q := got.QUIC; q == nil || q.SentPackets == 0 || q.ReceivedBytes < 1200 || q.SmoothedRTT <= 0 || q.CongestionWindow < 1200 {
		t.Errorf("%+v", q)
	}
	if err := transport.Close(); err != nil {
		t.Error(err)
	}
	if err := srv.Close(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != http.ErrServerClosed {
		t.Error(err)
	}
}
