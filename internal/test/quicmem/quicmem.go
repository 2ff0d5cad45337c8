// Package quicmem runs transports of package quic on sockets that are no UDP
// sockets, for tests of the packages above it, in the bubbles of
// testing/synctest:
//
//	network := memnet.New(10 * time.Millisecond)
//	socket := network.Listen(netip.MustParseAddrPort("192.0.2.1:443"))
//	transport := quicmem.NewTransport(socket, nil, nil).(*quic.Transport)
//
// It knows nothing of package quic, whose own tests may import what this imports.
package quicmem

import (
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
)

// NewTransport returns a *quic.Transport on a socket. conf is a
// *quic.TransportConfig, or nil for the defaults. adjust, which may be nil, changes what
// the engine is told for each connection, as only tests have reason to. Package quic sets it.
var NewTransport func(socket loop.Socket, conf any, adjust func(*engine.Config)) (transport any)
