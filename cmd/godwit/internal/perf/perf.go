// Package perf is the IETF's QUIC performance protocol
// (draft-banks-quic-performance), both sides: on every stream the client sends 8
// bytes, a big-endian count, and whatever it uploads; when it has ended the
// stream, the server answers with that many bytes.
//
//	ln, err := perf.Listen("localhost:4433", tlsConfig, nil, nil) // NextProtos: perf.ALPN
//	go perf.Serve(ctx, ln)
//
//	result, err := perf.Run(ctx, "localhost:4433", perf.Options{
//		TLS:      clientTLS,
//		Download: 1 << 30,
//	})
//	fmt.Printf("%.2f Gbit/s\n", result.Gbps())
package perf

import "github.com/godwit-quic/godwit/quic"

// ALPN is the protocol's name in TLS.
const ALPN = "perf"

const (
	// headerLen is the length of the count that begins a stream.
	headerLen = 8
	// bufferSize is how many bytes are written or read at a time, at most.
	bufferSize = 256 << 10
	// cancelCode is the application's error code for what is cut off because
	// the time is up.
	cancelCode = 0
)

// zeros is what is sent.
var zeros [bufferSize]byte

// WithWindow returns a copy of conf in which flow control windows, of streams
// and of the connection, have a fixed size in bytes. 0 leaves them as they are;
// conf may be nil.
func WithWindow(conf *quic.Config, window uint64) *quic.Config {
	var c quic.Config
	if conf != nil {
		c = *conf
	}
	if window > 0 {
		c.InitialStreamWindow, c.MaxStreamWindow = window, window
		c.InitialConnWindow, c.MaxConnWindow = window, window
	}
	return &c
}
