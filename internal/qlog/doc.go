// Package qlog writes what connections do to files that qlog's tools read
// (draft-ietf-quic-qlog-main-schema, draft-ietf-quic-qlog-quic-events): what the
// sides agree on, datagrams, packets with their frames, losses, round-trip time,
// congestion control, path MTU and ECN, keys, streams, and the end.
//
//	conf := engine.Config{NewTracer: qlog.Dir("/tmp/qlog", slog.Default())}
//
// Each connection has a file of its own, DIR/<id>_<side>.sqlog, named after the
// client's first destination connection ID, so that the two sides of a
// connection are found side by side. It is a JSON text sequence (RFC 7464): a
// header and then an object for each event.
//
// What a peer sends decides what is written, so everything has a bound: the
// files open at once, the bytes waiting to be written, the length of an event
// and the size of a file.
package qlog
