// Package h3 is HTTP/3 on the wire (RFC 9114): frames, the state of a
// connection, the order of frames in a message, and which messages are
// malformed. It has no goroutines and no I/O, and does not know net/http: bytes
// that arrived are fed to it, and it says what they mean.
//
// A Conn is what both ends keep for each connection. Bytes of the peer's
// unidirectional streams go to it, each stream with a UniStream:
//
//	conn := h3.NewConn(wire.ServerSide, h3.Settings{MaxFieldSectionSize: 16 << 10})
//	controlStream := conn.AppendControlStream(nil, random) // to be sent first
//	verdict, err := conn.HandleUni(now, &stream, b)
//
// The bytes of a request stream go to a MessageReader, which finds the header
// section, the content and the trailer section in them; the sections, decoded by
// package qpack with the connection's tables, are checked and taken apart by
// ParseRequest, ParseResponse and ParseTrailers.
//
// Errors are either a *ConnError, after which the connection must be closed with
// its code, or a *StreamError, which ends one request.
package h3

// NextProto is the protocol's name in TLS (RFC 9114, Section 3.1).
const NextProto = "h3"
