package client

import (
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/test/leak"
)

func Example() {
	t, err := New(Config{Versions: Only3})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer t.Close()
	req, err := http.NewRequest("GET", "http://example.org/", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = t.RoundTrip(req)
	fmt.Println(err)
	// Output: HTTP/3 is for https only
}

// TestRaceSendsOnce: whichever version is connected first, a request is served once, with
// all of its content, and all requests to an origin go over the same version.
func TestRaceSendsOnce(t *testing.T) {
	leak.Check(t)
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var served atomic.Int64
	srv := &http3.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Logger: slog.New(slog.DiscardHandler),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			served.Add(1)
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Proto, " ", len(body))
		}),
	}
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- ln.Serve() }()
	defer func() { _ = srv.Close(); <-ended }()
	const rounds, each = 20, 4
	for round := range rounds {
		transport, err := New(Config{
			TLS: &tls.Config{InsecureSkipVerify: true}, ConnectTimeout: time.Minute,
			HeadStart: time.Duration(round) * time.Millisecond / 2, // so that either may be the first
		})
		if err != nil {
			t.Fatal(err)
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		answers := make(map[string]int)
		for range each {
			group.Go(func() {
				req, _ := http.NewRequest("POST", "https://"+ln.Addr().String()+"/", io.NopCloser(strings.NewReader(strings.Repeat("x", 5000)))) // it cannot be sent again
				resp, err := transport.RoundTrip(req)
				if err != nil {
					t.Error(err)
					return
				}
				text, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				answers[string(text)]++
			})
		}
		group.Wait()
		if answers["HTTP/3.0 5000"] != each && answers["HTTP/2.0 5000"] != each {
			t.Errorf("round %d: %v", round, answers)
		}
		if err := transport.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := served.Load(); n != rounds*each {
		t.Errorf("%d requests were served, not %d", n, rounds*each)
	}
}
