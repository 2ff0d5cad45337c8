package main

import (
	"net/http"
	"strconv"
)

const (
	pieceSize = 256 << 10
	bulkSize  = 64 << 20
)

var (
	small  = []byte("hello")
	medium = make([]byte, 10<<10)
	piece  = make([]byte, pieceSize)
)

// handle answers with 5 bytes, 10 KiB or 64 MiB. It sets what an ordinary
// handler sets, and is the same for every implementation.
func handle(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/small":
		respond(w, small)
	case "/10k":
		respond(w, medium)
	case "/bulk":
		bulk(w)
	default:
		http.NotFound(w, r)
	}
}

func respond(w http.ResponseWriter, body []byte) {
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write(body) // the client may be gone
}

func bulk(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.Itoa(bulkSize))
	for range bulkSize / pieceSize {
		if _, err := w.Write(piece); err != nil {
			return // the client is gone
		}
	}
}
