package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"sync"
)

const (
	echoBuffer   = 64 << 10
	digestBuffer = 256 << 10
)

// serveEcho sends the body back while it arrives.
func serveEcho(w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	// HTTP/1.1 reads the whole body before it answers, unless it is told not
	// to; the others know no such thing.
	_ = control.EnableFullDuplex()
	contentType := r.Header.Get("Content-Type")
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	w.Header().Set("Content-Type", contentType)
	if control.Flush() != nil {
		return // the client is gone
	}
	buf := make([]byte, echoBuffer)
	for {
		n, err := r.Body.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return
			}
			if control.Flush() != nil {
				return
			}
		}
		switch {
		case err == io.EOF:
			return
		case err != nil:
			panic(http.ErrAbortHandler) // or what was echoed would look complete
		}
	}
}

var digestBuffers = sync.Pool{New: func() any { return new([digestBuffer]byte) }}

// serveDigest answers with the length and the hash of the body.
func serveDigest(w http.ResponseWriter, r *http.Request) {
	buf := digestBuffers.Get().(*[digestBuffer]byte)
	defer digestBuffers.Put(buf)
	hash := sha256.New()
	n, err := io.CopyBuffer(hash, r.Body, buf[:])
	if err != nil {
		http.Error(w, fmt.Sprintf("reading the body failed after %d bytes: %v", n, err), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "{\"bytes\":%d,\"sha256\":\"%s\"}\n", n, hex.EncodeToString(hash.Sum(nil)))
}
