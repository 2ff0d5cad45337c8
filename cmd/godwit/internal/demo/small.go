package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// maxSlow is the longest that /slow waits, in milliseconds: each that waits
// holds a goroutine.
const maxSlow = 600_000

func serveHello(w http.ResponseWriter, r *http.Request) {
	text(w)
	fmt.Fprintf(w, "Hello over %s!\n", r.Proto)
}

// serveSlow answers after a while, unless the client loses patience.
func serveSlow(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.ParseUint(r.FormValue("ms"), 10, 64)
	if err != nil || ms > maxSlow {
		http.Error(w, fmt.Sprintf("ms must say for how many milliseconds to wait, from 0 to %d", maxSlow), http.StatusBadRequest)
		return
	}
	timer := time.NewTimer(time.Duration(ms) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		text(w)
		fmt.Fprintf(w, "waited for %d ms\n", ms)
	case <-r.Context().Done():
	}
}

// serveTrailers sends the body's hash after the body.
func serveTrailers(w http.ResponseWriter, _ *http.Request) {
	const body = "The trailers after this line have its length and its SHA-256.\n"
	text(w)
	w.Header().Set("Trailer", "Body-Length, Body-Sha256")
	if _, err := io.WriteString(w, body); err != nil {
		return
	}
	sum := sha256.Sum256([]byte(body))
	w.Header().Set("Body-Length", strconv.Itoa(len(body)))
	w.Header().Set("Body-Sha256", hex.EncodeToString(sum[:]))
}

func text(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/plain; charset=utf-8") }
