package perf

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
)

// serve starts a server and returns its address and what its clients need.
func serve(t *testing.T) (addr string, client *tls.Config) {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ln, err := Listen("127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{cert}, NextProtos: []string{ALPN},
	}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		if err := <-served; err != nil {
			t.Error("serving:", err)
		}
		if err := ln.Transport().Close(); err != nil {
			t.Error(err)
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(cert.Leaf)
	return ln.Addr().String(), &tls.Config{RootCAs: roots}
}

func TestRun(t *testing.T) {
	addr, conf := serve(t)
	for _, tt := range []struct {
		name     string
		opts     Options
		down, up uint64
		requests uint64
	}{
		{"nothing", Options{}, 0, 0, 1},
		{"download", Options{Download: 3<<20 + 1}, 3<<20 + 1, 0, 1},
		{"upload", Options{Upload: 3<<20 + 1}, 0, 3<<20 + 1, 1},
		{"one piece", Options{Download: bufferSize, Upload: bufferSize}, bufferSize, bufferSize, 1},
		{"streams and connections", Options{Download: 100_000, Upload: 50_000, Streams: 5, Conns: 3}, 1_500_000, 750_000, 15},
		{"windows", Options{Download: 3 << 20, QUIC: WithWindow(nil, 16<<20)}, 3 << 20, 0, 1},
	} {
		tt.opts.TLS = conf
		r, err := Run(t.Context(), addr, tt.opts)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if r.Downloaded != tt.down || r.Uploaded != tt.up || r.Requests != tt.requests {
			t.Errorf("%s: %d down, %d up, %d requests", tt.name, r.Downloaded, r.Uploaded, r.Requests)
		}
		if moved := tt.down+tt.up > 0; moved != (r.Gbps() > 0) {
			t.Errorf("%s: %v Gbit/s in %v", tt.name, r.Gbps(), r.Elapsed)
		}
	}
}

// TestRunDuration: time ends what sizes do not, in every phase.
func TestRunDuration(t *testing.T) {
	addr, conf := serve(t)
	for _, tt := range []struct {
		name string
		opts Options
	}{
		{"no size", Options{}},
		{"endless upload", Options{Upload: endless}},
		{"endless both", Options{Upload: endless, Download: endless}},
		{"small ones", Options{Upload: 100, Download: 1000, Streams: 3}},
	} {
		tt.opts.TLS, tt.opts.Duration = conf, 50*time.Millisecond
		r, err := Run(t.Context(), addr, tt.opts)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if r.Elapsed < tt.opts.Duration || r.Downloaded+r.Uploaded == 0 {
			t.Errorf("%s: %d down, %d up in %v", tt.name, r.Downloaded, r.Uploaded, r.Elapsed)
		}
		if small := tt.opts.Upload == 100; small != (r.Requests > 1) {
			t.Errorf("%s: %d requests", tt.name, r.Requests)
		}
	}
}

func TestRunErrors(t *testing.T) {
	addr, conf := serve(t)
	_, err := Run(t.Context(), addr, Options{})
	if unknown := (x509.UnknownAuthorityError{}); !errors.As(err, &unknown) || !strings.Contains(err.Error(), addr) {
		t.Errorf("without trust: %v", err)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, addr, Options{TLS: conf, Download: endless}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("given up: %v", err)
	}
}

// TestServeStream looks at the bytes of the protocol.
func TestServeStream(t *testing.T) {
	addr, conf := serve(t)
	conf.NextProtos = []string{ALPN}
	c, err := quic.Dial(t.Context(), addr, conf, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	s, err := c.OpenStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	request := binary.BigEndian.AppendUint64(nil, 1000)
	if _, err := s.WriteLast(append(request, "uploaded"...)); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(s)
	if err != nil || len(answer) != 1000 {
		t.Errorf("%d bytes, %v", len(answer), err)
	}

	// A request that is too short is refused, and the connection goes on.
	if s, err = c.OpenStream(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.WriteLast([]byte("short")); err != nil {
		t.Fatal(err)
	}
	var reset *quic.StreamError
	if _, err := io.ReadAll(s); !errors.As(err, &reset) || !reset.Remote {
		t.Errorf("short request: %v", err)
	}
	if c.Err() != nil {
		t.Error(c.Err())
	}
}

func TestResult(t *testing.T) {
	r := &Result{Downloaded: 1 << 30, Uploaded: 1 << 29, Requests: 2, Elapsed: 2 * time.Second, CPU: 1500 * time.Millisecond, Streams: 1, Conns: 2}
	data, err := json.Marshal(r)
	want := `{"gbps":6.442451,"cpu_s":1.5,"bytes":1610612736,"download_bytes":1073741824,"upload_bytes":536870912,"seconds":2,"requests":2,"conns":2,"streams":1}`
	if err != nil || string(data) != want {
		t.Errorf("%s, %v", data, err)
	}
	text := "6.442 Gbit/s: 1.000 GiB down, 512.0 MiB up in 2.000 s (2 × 1 streams, 2 completed)\nCPU 1.500 s, 1.000 s a GiB"
	if r.String() != text {
		t.Errorf("%q", r.String())
	}
	if text := (&Result{}).String(); text != "0.000 Gbit/s: 0 bytes down, 0 bytes up in 0.000 s (0 × 0 streams, 0 completed)\nCPU 0.000 s" {
		t.Errorf("nothing: %q", text)
	}
}
