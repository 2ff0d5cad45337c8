package http3

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// BenchmarkHello is a small request and its response, client included, with 32
// of them under way.
func BenchmarkHello(b *testing.B) {
	ts := serve(b, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") })
	ts.do(b, "GET", "/", nil) // the connection is there
	b.SetParallelism(16)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			req, _ := http.NewRequest("GET", ts.url+"/hello", nil)
			resp, err := ts.transport.RoundTrip(req)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	})
}

// BenchmarkDownload and BenchmarkUpload move 16 MiB in one request.
func BenchmarkDownload(b *testing.B) {
	const size = 16 << 20
	piece := make([]byte, 64<<10)
	ts := serve(b, func(w http.ResponseWriter, r *http.Request) {
		for range size / len(piece) {
			_, _ = w.Write(piece)
		}
	})
	b.SetBytes(size)
	b.ReportAllocs()
	buf := make([]byte, 64<<10)
	for b.Loop() {
		req, _ := http.NewRequest("GET", ts.url, nil)
		resp, err := ts.transport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buf)
		if n != size || err != nil {
			b.Fatalf("%d bytes, %v", n, err)
		}
		_ = resp.Body.Close()
	}
}

func BenchmarkUpload(b *testing.B) {
	const size = 16 << 20
	ts := serve(b, func(w http.ResponseWriter, r *http.Request) {
		buf := make([]byte, 64<<10)
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, buf)
	})
	content := make([]byte, size)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		req, _ := http.NewRequest("POST", ts.url, bytes.NewReader(content))
		resp, err := ts.transport.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}
