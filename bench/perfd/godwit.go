package main

import (
	"crypto/tls"
	"net"

	"github.com/godwit-quic/godwit/quic"
)

// serveGodwit echoes datagrams; for the rest there is `godwit perf serve`.
func serveGodwit(listen string, conf *tls.Config) (net.Addr, error) {
	ln, err := quic.Listen(listen, conf, &quic.Config{
		EnableDatagrams: true,
		NewHandler:      func(conn *quic.Conn) quic.Handler { return &echo{conn: conn} },
	})
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
func (e *echo) HandleDatagrams(*quic.Conn) {
	for {
		var ok bool
		if e.buf, ok = e.conn.TryReceiveDatagram(e.buf[:0]); !ok {
			return
		}
		_ = e.conn.SendDatagram(e.buf) // lost if the queue is full, as datagrams may be
	}
}

// The rest of quic.Handler: there are no streams.

func (e *echo) HandleStream(*quic.Stream)         {}
func (e *echo) HandleReadable(*quic.Stream)       {}
func (e *echo) HandleWritable(*quic.Stream)       {}
func (e *echo) HandleStreamsAvailable(*quic.Conn) {}
func (e *echo) HandleClose(*quic.Conn, error)     {}
