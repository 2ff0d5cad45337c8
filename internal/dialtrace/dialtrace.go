// Package dialtrace tells those above package quic which addresses it tries when it
// connects to a host, as package httptrace wants to know:
//
//	ctx = dialtrace.With(ctx, func(remote netip.AddrPort) { … })
//	conn, err := quic.Dial(ctx, addr, tlsConf, nil)
package dialtrace

import (
	"context"
	"net/netip"
)

type key struct{}

// With returns a context with which f is called at the beginning of each attempt at an
// address. Several attempts may run, and call f, at the same time.
func With(ctx context.Context, f func(remote netip.AddrPort)) context.Context {
	return context.WithValue(ctx, key{}, f)
}

// Attempt calls the function that With was given for ctx, if any.
func Attempt(ctx context.Context, remote netip.AddrPort) {
	if f, ok := ctx.Value(key{}).(func(netip.AddrPort)); ok {
		f(remote)
	}
}
