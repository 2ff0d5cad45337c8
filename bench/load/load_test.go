package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
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

func TestModes(t *testing.T) {
	for _, proto := range []string{"h3", "h2", "http/1.1"} {
		addr := serve(t, proto)
		for name, measure := range modes {
			if name == "datagrams" {
				continue // is not HTTP: TestDatagrams
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

func TestDatagrams(t *testing.T) {
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := quic.Listen("127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"perf"}},
		&quic.Config{EnableDatagrams: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for conn, err := ln.Accept(t.Context()); err == nil; conn, err = ln.Accept(t.Context()) {
			go func() {
				for b, err := conn.ReceiveDatagram(t.Context()); err == nil; b, err = conn.ReceiveDatagram(t.Context()) {
					_ = conn.SendDatagram(b) // may get lost
				}
			}()
		}
	}()
	opts := testOptions(ln.Addr().String(), "perf")
	if _, err := measureDatagrams(t.Context(), opts); err == nil {
		t.Error("5 bytes have room for the time in 8")
	}
	opts.size = 100
	r, err := measureDatagrams(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	if r.Requests == 0 || r.Bytes == 0 || r.P50 == 0 {
		t.Errorf("%+v", r)
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
