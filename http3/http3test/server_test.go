package http3test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/quic/quictest"
	"github.com/godwit-quic/godwit/webtransport"
)

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s of %s", r.Proto, r.Host) })

func get(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestServer(t *testing.T) {
	leak.Check(t)
	s := NewServer(hello)
	defer s.Close()
	if got, want := get(t, s.Client(), s.URL+"/"), "HTTP/3.0 of "+strings.TrimPrefix(s.URL, "https://"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := get(t, s.Client(), "https://sub.example.com/"), "HTTP/3.0 of sub.example.com"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if first, second := s.Client(), s.Client(); first != second {
		t.Error("there are two clients")
	}
	strangers := &http3.Transport{}
	defer strangers.Close()
	var unknown *tls.CertificateVerificationError
	if _, err := (&http.Client{Transport: strangers}).Get(s.URL); !errors.As(err, &unknown) {
		t.Errorf("a client that does not know the certificate: %v", err)
	}
	s.Close()
	if _, err := s.Client().Get(s.URL); err == nil {
		t.Error("a server that was closed answers")
	}
}

// TestNetwork takes no time: that of the bubble is what the network's delay makes.
func TestNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewUnstartedServer(hello)
		s.Network = quictest.NewNetwork(quictest.Link{Delay: 100 * time.Millisecond})
		s.Start()
		defer s.Close()
		begin := time.Now()
		if got := get(t, s.Client(), s.URL); got != "HTTP/3.0 of example.com" {
			t.Errorf("got %q", got)
		}
		if took := time.Since(begin); took < 400*time.Millisecond || took > 500*time.Millisecond {
			t.Errorf("a handshake and a request took %v of the bubble", took)
		}
	})
}

func TestWebTransport(t *testing.T) {
	leak.Check(t)
	s := NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return
		}
		session.CloseWithError(7, "seen")
	}))
	s.Network = quictest.NewNetwork(quictest.Link{})
	webtransport.Enable(s.Config, nil)
	s.Start()
	defer s.Close()
	dialer := &webtransport.Dialer{TLSClientConfig: s.TLSClientConfig(), Route: s.Route}
	session, _, err := dialer.Dial(context.Background(), s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = session.AcceptStream(context.Background())
	var closed *webtransport.SessionError
	if !errors.As(err, &closed) || closed.Code != 7 {
		t.Errorf("the session ended with %v", err)
	}
}

// TestCloseWaits: a request that runs ends as it would.
func TestCloseWaits(t *testing.T) {
	leak.Check(t)
	began, end := make(chan struct{}), make(chan struct{})
	s := NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-end
		io.WriteString(w, "whole")
	}))
	got := make(chan string, 1)
	go func() { got <- get(t, s.Client(), s.URL) }()
	<-began
	closed := make(chan struct{})
	go func() {
		s.Close()
		close(closed)
	}()
	close(end)
	if s := <-got; s != "whole" {
		t.Errorf("the response is %q", s)
	}
	<-closed
	s.Close()
}

func TestNotStarted(t *testing.T) {
	leak.Check(t)
	NewUnstartedServer(nil).Close()
	s := NewServer(nil)
	defer s.Close()
	defer func() {
		if recover() == nil {
			t.Error("it starts twice")
		}
	}()
	s.Start()
}
