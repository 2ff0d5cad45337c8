package demo

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
)

// TestInfoStatistics: of a request over QUIC, /info tells the connection's
// statistics.
func TestInfoStatistics(t *testing.T) {
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{Certificates: []tls.Certificate{cert}, InsecureSkipVerify: true, NextProtos: []string{"x"}}
	ln, err := quic.Listen("127.0.0.1:0", conf, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Transport().Close()
	conn, err := quic.Dial(t.Context(), ln.Addr().String(), conf, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // statistics are those of the event loop's last turn, so let two begin
		turn := make(chan struct{})
		conn.Run(func() { close(turn) })
		<-turn
	}
	handler, err := New(Options{Conn: func(*http.Request) *quic.Conn { return conn }})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest("GET", "/info", nil))
	var got info
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if q := got.QUIC; q == nil || q.SentPackets == 0 || q.ReceivedBytes < 1200 || q.SmoothedRTT <= 0 || q.CongestionWindow < 1200 {
		t.Errorf("%s", w.Body)
	}
}
