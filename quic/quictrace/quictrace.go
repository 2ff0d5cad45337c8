// Package quictrace is how a program is told what happens on QUIC connections: each
// packet, each loss, each key, each state, and what HTTP/3 does with the streams.
//
//	conf := &quic.Config{Tracer: func(info quictrace.Info) quictrace.Tracer {
//		return &losses{id: hex.EncodeToString(info.OriginalID)}
//	}}
//
//	func (l *losses) Trace(at time.Duration, e quictrace.Event) {
//		switch e := e.(type) {
//		case *quictrace.PacketLost:
//			l.lost++
//		case *quictrace.ConnectionClosed:
//			log.Printf("%s: %d packets lost, closed after %v: %s", l.id, l.lost, at, e.Reason)
//		}
//	}
//
// Events are those of qlog, with its names (draft-ietf-quic-qlog-quic-events and
// draft-ietf-quic-qlog-h3-events): they say there in detail what they mean. Package qlog
// makes Tracers that write files. A connection without a Tracer pays for it with a
// comparison here and there.
package quictrace

import "time"

// Tracer is told of the events of one connection.
type Tracer interface {
	// Trace is told of an event, so much time after the connection began, which never
	// goes back. The event, its slices and what it points to are valid until Trace
	// returns. e is one of the pointers to this package's types; more may come.
	//
	// Trace is called by whoever does what it is told of, most of the time the event
	// loop, and never by two at the same time. Everybody waits for it: it must be quick,
	// and must not call the connection. The last event of a connection is a
	// ConnectionStateUpdated to StateClosed.
	Trace(at time.Duration, e Event)
}

// Info says which connection a Tracer is for.
type Info struct {
	// Server is set at the server's end.
	Server bool
	// OriginalID is the destination connection ID of the client's first packet, which
	// is the same at both ends (RFC 9000, Section 7.2).
	OriginalID []byte
}

// Event is something that happened on a connection.
type Event interface {
	// Name returns the event's name in qlog, with its namespace: "quic:packet_sent".
	Name() string
}
