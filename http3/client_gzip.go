package http3

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
)

// wantsGzip reports whether the response is asked for in gzip, and decompressed,
// without the user's having to know: under net/http's conditions.
func (t *Transport) wantsGzip(req *http.Request) bool {
	return !t.DisableCompression && req.Method != http.MethodHead && req.Method != http.MethodConnect &&
		req.Header.Get("Accept-Encoding") == "" && req.Header.Get("Range") == ""
}

// decompress makes resp one that was never compressed, if it is in gzip.
func decompress(resp *http.Response) {
	if resp.Body == http.NoBody || !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return
	}
	resp.Header.Del("Content-Encoding")
	resp.Header.Del("Content-Length")
	resp.ContentLength = -1
	resp.Uncompressed = true
	resp.Body = &gzipBody{ReadCloser: resp.Body}
}

// gzipBody decompresses a response. Nothing is read before the user reads.
type gzipBody struct {
	io.ReadCloser              // compressed
	plain         *gzip.Reader // nil before the first Read
	err           error        // of gzip's header
	closed        atomic.Bool
}

func (b *gzipBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose // and not what was decompressed ahead
	}
	if b.plain == nil && b.err == nil {
		b.plain, b.err = gzip.NewReader(b.ReadCloser)
	}
	if b.err != nil {
		return 0, b.err
	}
	return b.plain.Read(p)
}

// Close may be called while another goroutine reads.
func (b *gzipBody) Close() error {
	b.closed.Store(true)
	return b.ReadCloser.Close()
}
