// Command endpoint is Godwit as the QUIC Interop Runner wants it: a client or a server,
// as the environment says, for one case. See package contract, and docs/interop.md.
package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/qlog"
)

func main() {
	contract.Main(contract.Endpoint{Serve: serve, Fetch: fetch})
}

// serve is the server of a case.
func serve(ctx context.Context, e *contract.Environment) error {
	conf, tc := config(e), new(quic.TransportConfig)
	if e.WebTransport() {
		return serveSessions(ctx, e, conf)
	}
	switch e.TestCase {
	case "handshake", "transfer", "resumption", "multiconnect", "v2", "ecn":
	case "zerortt":
		conf.Allow0RTT = true
	case "retry":
		tc.RequireAddressValidation = true
	case "chacha20":
		contract.OnlyChaCha20()
	case "http3":
		return serveHTTP3(ctx, e, conf)
	default:
		// "connectionmigration" wants a preferred address of the server (RFC 9000,
		// Section 9.6).
		return contract.ErrUnsupported
	}
	return serveHQ(ctx, e, tc, conf)
}

// fetch is the client of a case.
func fetch(ctx context.Context, e *contract.Environment) error {
	conf := config(e)
	if e.WebTransport() {
		return fetchSessions(ctx, e, conf)
	}
	switch e.TestCase {
	case "handshake", "retry", "ecn":
		return fetchOnce(ctx, e, conf, e.Requests, nil)
	case "transfer":
		// This is the client's part in "connectionmigration", too, where the server has a
		// preferred address.
		smallWindows(conf)
		return fetchOnce(ctx, e, conf, e.Requests, nil)
	case "chacha20":
		contract.OnlyChaCha20()
		return fetchOnce(ctx, e, conf, e.Requests, nil)
	case "keyupdate":
		return fetchOnce(ctx, e, conf, e.Requests, updateKeys)
	case "v2":
		conf.Versions = []quic.Version{quic.Version2, quic.Version1}
		conf.OriginalVersion = quic.Version1
		return fetchOnce(ctx, e, conf, e.Requests, nil)
	case "multiconnect":
		return fetchEach(ctx, e, conf)
	case "resumption":
		return fetchTwice(ctx, e, conf)
	case "zerortt":
		conf.Allow0RTT = true
		return fetchTwice(ctx, e, conf)
	case "http3":
		return fetchHTTP3(ctx, e, conf)
	}
	return contract.ErrUnsupported
}

// handshakeTimeout is as long as the runner waits for most cases. The default of ten seconds
// is little where three of ten packets are lost, or a client's first six after another.
const handshakeTimeout = time.Minute

func config(e *contract.Environment) *quic.Config {
	conf := &quic.Config{HandshakeTimeout: handshakeTimeout}
	if e.QLog != "" {
		conf.Tracer = qlog.Dir(e.QLog, slog.Default())
	}
	return conf
}

// smallWindows makes flow control's windows small at first, so that files of a megabyte
// need more credit.
func smallWindows(conf *quic.Config) {
	conf.InitialStreamWindow, conf.InitialConnWindow = 64<<10, 128<<10
}
