// Package interop tests WebTransport in both roles against webtransport-go, and
// against web-transport-quinn: the programs for that are in rust, and the tests
// build them where cargo is, which takes a minute or two the first time. It also
// compiles what docs/from-quic-go.md shows of webtransport-go and of quic-go.
//
// It is a module of its own because webtransport-go needs an older quic-go than the
// other tests use.
package interop
