// Package quic is all that net/http's tests know of golang.org/x/net/quic.
package quic

import (
	"context"
	"net/netip"
)

// Endpoint is a server or a transport.
type Endpoint struct {
	Local  netip.AddrPort
	Finish func() error // may be nil
}

// LocalAddr returns where a server is.
func (e *Endpoint) LocalAddr() netip.AddrPort { return e.Local }

// Close ends it at once.
func (e *Endpoint) Close(context.Context) error {
	if e.Finish == nil {
		return nil
	}
	return e.Finish()
}
