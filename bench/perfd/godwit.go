package main

import (
	"crypto/tls"
	"net"

	"github.com/godwit-quic/godwit/quic"
)

// serveGodwit echoes datagrams; for the rest there is `godwit perf serve`.
func serveGodwit(listen string, conf *tls.Config) (net.Addr, error) {
	newHandler := func(t *quic.Turn) quic.Handler { return &echo{conn: t.Conn()} }
	ln, err := new(quic.TransportConfig).ListenEvents(listen, conf, &quic.Config{EnableDatagrams: true}, newHandler)
	if err != nil {
		return nil, err
	}
	return ln.Addr(), nil
}

// echo sends the datagrams of a connection back.
type echo struct {
	conn *quic.Conn
	buf  []byte
}

// HandleDatagrams implements quic.DatagramHandler.
func (e *echo) HandleDatagrams(t *quic.Turn) {
	for {
		var ok bool
		if e.buf, ok = t.ReceiveDatagram(e.buf[:0]); !ok {
			return
		}
		_ = e.conn.SendDatagram(e.buf) // lost if the queue is full, as datagrams may be
	}
}

// The rest of quic.Handler: there are no streams.

func (e *echo) HandleStream(*quic.Turn, quic.StreamRef) quic.StreamHandler { return nil }
func (e *echo) HandleStreamsAvailable(*quic.Turn)                          {}
func (e *echo) HandleClose(*quic.Turn, error)                              {}
