// Package interop tests Godwit against other implementations of QUIC and
// HTTP/3: quic-go in the same process, Bun in a process of its own. It is a
// module by itself, so that the peers never show in the main module's
// dependencies.
//
//	go test ./...
//
// Bun comes from the npm registry and is installed on first use into the
// user's cache directory; without npm its tests say so and are skipped.
package interop
