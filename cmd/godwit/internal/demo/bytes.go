package demo

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
)

const (
	// maxBytes is the most that /bytes/{n} sends.
	maxBytes = 16 << 30
	// blockSize is after how many bytes the content of /bytes/{n} repeats. It
	// is a prime number, so that data that went astray by a multiple of any
	// buffer's or packet's size does not look right. A block fits into a
	// core's cache.
	blockSize = 1<<18 - 5
)

// block returns what /bytes/{n} is made of: noise, which nothing compresses, and
// the same in every process.
var block = sync.OnceValue(func() []byte {
	b := make([]byte, blockSize)
	_, _ = rand.NewChaCha8([32]byte([]byte("godwit flies far without landing"))).Read(b) // never fails
	return b
})

// serveBytes sends as many bytes as the path says, in writes as large as the
// block: whoever measures with this route should measure the transport.
func serveBytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseUint(r.PathValue("n"), 10, 64)
	if err != nil || n > maxBytes {
		http.Error(w, fmt.Sprintf("%q is not a number of bytes from 0 to %d", r.PathValue("n"), int64(maxBytes)), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatUint(n, 10))
	if r.Method == http.MethodHead {
		return
	}
	for b := block(); n > 0; {
		written, err := w.Write(b[:min(n, blockSize)])
		if err != nil {
			return // the client is gone
		}
		n -= uint64(written)
	}
}
