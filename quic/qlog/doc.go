// Package qlog writes what connections do to files that qlog's tools read
// (draft-ietf-quic-qlog-main-schema, draft-ietf-quic-qlog-quic-events and
// draft-ietf-quic-qlog-h3-events): what the sides agree on, datagrams, packets with their
// frames, losses, round-trip time, congestion control, path MTU and ECN, keys, connection
// IDs, streams, the end, and with HTTP/3 settings, streams, frames, priorities and
// datagrams.
//
//	conf := &quic.Config{Tracer: qlog.Dir("/tmp/qlog", slog.Default())}
//
// A file is a JSON text sequence (RFC 7464): a header and then an object for each event.
//
// Keys, tokens and the content of streams are not written, nor are the values of
// Authorization, Proxy-Authorization, Cookie and Set-Cookie. All other fields of HTTP
// messages are, and what they tell of people.
//
// What a peer sends decides what is written, so everything has a bound: the
// files open at once, the bytes waiting to be written, the length of an event
// and the size of a file.
package qlog
