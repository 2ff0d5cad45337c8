// Command quicgo is quic-go as the QUIC Interop Runner wants it: see package contract.
package main

import (
	"context"
	"fmt"
	_ "unsafe" // for go:linkname

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/qlog"

	"github.com/godwit-quic/godwit/interop/contract"
)

// firstKeyUpdate is how many packets quic-go sends before its first key update; its own
// endpoint sets it for the same case.
//
//go:linkname firstKeyUpdate github.com/quic-go/quic-go/internal/handshake.FirstKeyUpdateInterval
var firstKeyUpdate uint64

// soonKeyUpdate is a number that the acknowledgments of the case's three megabytes exceed.
const soonKeyUpdate = 50

func main() {
	contract.Main(contract.Endpoint{Serve: serve, Fetch: fetch})
}

// unsupported is why a case cannot be run.
func unsupported(why string) error { return fmt.Errorf("%w: %s", contract.ErrUnsupported, why) }

func serve(ctx context.Context, e *contract.Environment) error {
	conf := config(e)
	if e.WebTransport() {
		return unsupported("WebTransport is another module's, webtransport-go")
	}
	retry := false
	switch e.TestCase {
	case "handshake", "transfer", "resumption", "multiconnect":
	case "zerortt":
		conf.Allow0RTT = true
	case "retry":
		retry = true
	case "chacha20":
		contract.OnlyChaCha20()
	case "http3":
		return serveHTTP3(ctx, e, conf)
	case "v2":
		return unsupported("quic-go knows no compatible version negotiation (RFC 9368)")
	default:
		return unsupported(e.TestCase)
	}
	return serveHQ(ctx, e, conf, retry)
}

func fetch(ctx context.Context, e *contract.Environment) error {
	conf := config(e)
	if e.WebTransport() {
		return unsupported("WebTransport is another module's, webtransport-go")
	}
	switch e.TestCase {
	case "handshake", "retry":
	case "transfer":
		conf.InitialStreamReceiveWindow, conf.InitialConnectionReceiveWindow = 64<<10, 128<<10
	case "chacha20":
		contract.OnlyChaCha20()
	case "keyupdate":
		firstKeyUpdate = soonKeyUpdate
	case "multiconnect":
		return fetchEach(ctx, e, conf)
	case "resumption":
		return fetchTwice(ctx, e, conf, false)
	case "zerortt":
		return fetchTwice(ctx, e, conf, true)
	case "http3":
		return fetchHTTP3(ctx, e, conf)
	case "v2":
		return unsupported("quic-go knows no compatible version negotiation (RFC 9368)")
	default:
		return unsupported(e.TestCase)
	}
	return fetchOnce(ctx, e, conf)
}

func config(e *contract.Environment) *quic.Config {
	conf := new(quic.Config)
	if e.QLog != "" {
		conf.Tracer = qlog.DefaultConnectionTracer // it heeds QLOGDIR
	}
	return conf
}
