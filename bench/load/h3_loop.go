package main

import (
	"context"
	"crypto/tls"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// flowWindow is the client's flow control window for streams and connections, in
// bytes.
const flowWindow = 16 << 20

// h3Loop is a UDP socket with its event loop, and what the HTTP/3 connections on
// it share. Only the loop's goroutine uses it, but for dial.
type h3Loop struct {
	transport *quic.Transport
	conf      *quic.Config
	opts      *options
	request   []byte // the HEADERS frame, the same for all requests
	meter     *meter

	buf [256 << 10]byte // content is read into
}

// newH3Loop opens a socket. m may be nil.
func newH3Loop(opts *options, m *meter) (*h3Loop, error) {
	if m == nil {
		m = new(meter)
	}
	conf := &quic.Config{
		HandshakeTimeout:    opts.patience,
		MaxIdleTimeout:      idleTimeout,
		InitialStreamWindow: flowWindow, MaxStreamWindow: flowWindow,
		InitialConnWindow: flowWindow, MaxConnWindow: flowWindow,
		MaxIncomingStreams: -1, MaxIncomingUniStreams: 10,
	}
	t, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		return nil, err
	}
	return &h3Loop{transport: t, conf: conf, opts: opts, request: encodeRequest(opts), meter: m}, nil
}

// encodeRequest returns a GET request as it is on the wire.
func encodeRequest(opts *options) []byte {
	section := qpack.AppendFieldSection(nil, []qpack.Field{
		{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "https"},
		{Name: ":authority", Value: opts.addr}, {Name: ":path", Value: opts.path},
		{Name: "user-agent", Value: "godwit-bench"},
	})
	return append(h3.AppendFrameHeader(nil, h3.FrameHeaders, uint64(len(section))), section...)
}

// dial makes a connection on which done is told of every response.
func (l *h3Loop) dial(ctx context.Context, conf *tls.Config, done func(event.Turn, *h3Conn, *exchange, error)) (*h3Conn, error) {
	qc, err := event.DialOn(ctx, l.transport, l.opts.addr, conf, l.conf, func(t event.Turn) event.Handler { return newH3Conn(t, l, done) })
	if err != nil {
		return nil, err
	}
	return event.HandlerOf(qc).(*h3Conn), nil
}
