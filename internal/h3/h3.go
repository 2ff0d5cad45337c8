// Package h3 is HTTP/3 (RFC 9114) as a machine: bytes in, events out. It has no
// goroutine, no I/O, no clock and no lock, and does not know net/http: a host gives it
// streams and datagrams, and is told what they mean.
//
// A Conn is one end of a connection, in either role. It decides what each stream is,
// and has the control streams, SETTINGS, QPACK's streams, GOAWAY, priorities and HTTP
// datagrams. A RequestStream is a request and its response:
//
//	conn := h3.NewConn(h3.Config{Side: wire.ServerSide}, transport, handler)
//	conn.Start(random)
//	conn.HandleStream(now, id, stream) // the peer opened one
//
// The host's Stream is then told of by the StreamHandler that the Conn has set, and the
// Handler of requests, content and the rest. A RequestStream may be handed to other
// goroutines (Detach), which read and write it over a Stream that waits.
//
// Below that are the codecs: a MessageReader finds the header section, the content and
// the trailer section in the bytes of a request stream; the sections, decoded by package
// qpack, are checked and taken apart by ParseRequest, ParseResponse and ParseTrailers.
//
// Errors are either a *ConnError, after which the connection must be closed with its
// code, or a *StreamError, which ends one request.
package h3

// NextProto is the protocol's name in TLS (RFC 9114, Section 3.1).
const NextProto = "h3"
