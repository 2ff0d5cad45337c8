// Package interop tests WebTransport against webtransport-go, in both roles.
//
// It is a module of its own because webtransport-go needs an older quic-go than the
// other tests use.
package interop
