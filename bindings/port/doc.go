// Package port is the engine's side of a port: the door by which programs that are not
// written in Go use QUIC, HTTP/3 and WebTransport. bindings/c/godwit.h says what passes
// through it, and bindings/c/README.md how it is meant.
//
// A Port has two rings in memory that the host shares: commands come in and events go out.
// It translates, and holds no protocol logic: what commands say is done by package quic's
// event face and the machines of HTTP/3 and WebTransport.
//
// There is a lane for each UDP socket, with the event loop that owns it. Everything that
// happens to a connection happens on its lane's loop: handlers write events, and the loop
// reads the commands, so that neither waits for a goroutine. One lane reads the commands
// of all; those for connections on other lanes it hands over. Where no lane does, a
// goroutine reads them, the pump. What may block, such as binding an address or looking
// a name up, has goroutines of its own.
//
// The package knows nothing of C. Its tests are a host themselves.
package port
