package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/webtransport"
)

// serve serves 5 bytes at /small over a protocol and returns the address.
func serve(t *testing.T, proto string) string {
	mux := http.NewServeMux()
	mux.HandleFunc("/small", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proto", r.Proto)
		_, _ = w.Write([]byte("hello"))
	})
	if proto != "h3" {
		srv := httptest.NewUnstartedServer(mux)
		srv.EnableHTTP2 = true
		srv.StartTLS()
		t.Cleanup(srv.Close)
		return srv.Listener.Addr().String()
	}
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{
		Handler:    mux,
		TLSConfig:  &tls.Config{Certificates: []tls.Certificate{cert}},
		QUICConfig: &quic.Config{MaxIncomingStreams: 2}, // fewer than are wanted
	}
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(ln) }() // ends with the test
	t.Cleanup(func() { _ = srv.Close() })
	return ln.Addr().String()
}

// testOptions are small numbers of everything.
func testOptions(addr, proto string) *options {
	return &options{
		addr: addr, path: "/small", proto: proto, size: 5, pid: os.Getpid(),
		conns: 2, streams: 3, loops: 2, warmup: 10 * time.Millisecond, duration: 100 * time.Millisecond,
		rate: 1000, patience: 20 * time.Second,
	}
}

var echoes = []string{"datagrams", "echo", "streams"}

func TestModes(t *testing.T) {
	for _, proto := range []string{"h3", "h2", "http/1.1"} {
		addr := serve(t, proto)
		for name, measure := range modes {
			if slices.Contains(echoes, name) {
				continue // are not HTTP: TestEchoes
			}
			t.Run(name+" over "+proto, func(t *testing.T) {
				opts := testOptions(addr, proto)
				opts.resume = name == "handshakes"
				r, err := measure(t.Context(), opts)
				if err != nil {
					t.Fatal(err)
				}
				if r.Requests == 0 || r.Failed != 0 || r.Seconds == 0 || r.ClientCPU == 0 {
					t.Errorf("%+v", r)
				}
				if opts.resume && r.Resumed != r.Requests {
					t.Errorf("%v of %v are resumed", r.Resumed, r.Requests)
				}
			})
		}
	}
}

// echoServer sends back what comes, over QUIC alone.
func echoServer(t *testing.T) string {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := quic.Listen("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"perf"}},
		&quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for conn, err := ln.Accept(t.Context()); err == nil; conn, err = ln.Accept(t.Context()) {
			go func() {
				for b, err := conn.ReceiveDatagram(t.Context()); err == nil; b, err = conn.ReceiveDatagram(t.Context()) {
					_ = conn.SendDatagram(b) // may get lost
				}
			}()
			go func() {
				for s, err := conn.AcceptStream(t.Context()); err == nil; s, err = conn.AcceptStream(t.Context()) {
					go echoStream(s)
				}
			}()
		}
	}()
	return ln.Addr().String()
}

func echoStream(s io.ReadWriteCloser) {
	_, _ = io.Copy(s, s) // the client may be gone
	_ = s.Close()
}

// echoSessions is echoServer for sessions of WebTransport.
func echoSessions(t *testing.T) string {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	srv := &http3.Server{TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, err := webtransport.Upgrade(w, r)
		if err != nil {
			return // the client has been told
		}
		go func() {
			for b, err := session.ReceiveDatagram(r.Context()); err == nil; b, err = session.ReceiveDatagram(r.Context()) {
				_ = session.SendDatagram(b) // may get lost
			}
		}()
		for s, err := session.AcceptStream(r.Context()); err == nil; s, err = session.AcceptStream(r.Context()) {
			go echoStream(s)
		}
	})}
	webtransport.Enable(srv, nil)
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(ln) }() // ends with the test
	t.Cleanup(func() { _ = srv.Close() })
	return ln.Addr().String()
}

func TestEchoes(t *testing.T) {
	for proto, addr := range map[string]string{"perf": echoServer(t), webTransport: echoSessions(t)} {
		for _, name := range echoes {
			t.Run(name+" over "+proto, func(t *testing.T) {
				opts := testOptions(addr, proto)
				opts.size = 100
				r, err := modes[name](t.Context(), opts)
				if err != nil {
					t.Fatal(err)
				}
				if r.Requests == 0 || r.Bytes == 0 || r.P50 == 0 {
					t.Errorf("%+v", r)
				}
			})
		}
	}
	if _, err := measureDatagrams(t.Context(), testOptions("127.0.0.1:1", "perf")); err == nil {
		t.Error("5 bytes have room for the time in 8")
	}
}

func TestWrongResponses(t *testing.T) {
	for _, proto := range []string{"h3", "h2"} {
		addr := serve(t, proto)
		for _, tt := range []struct {
			name  string
			wrong func(*options)
			want  string
		}{
			{"status", func(o *options) { o.path = "/none" }, "404"},
			{"size", func(o *options) { o.size = 6 }, "content"},
		} {
			opts := testOptions(addr, proto)
			tt.wrong(opts)
			_, err := measureRequests(t.Context(), opts)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s over %s: %v, want %q in it", tt.name, proto, err, tt.want)
			}
		}
	}
}

func TestNoServer(t *testing.T) {
	ln, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // which never answers
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	opts := testOptions(ln.LocalAddr().String(), "h3")
	opts.patience = 50 * time.Millisecond
	r, err := measureBurst(t.Context(), opts)
	if err != nil || r.Failed != 2 || r.Error == "" {
		t.Errorf("%+v, %v", r, err)
	}
}
