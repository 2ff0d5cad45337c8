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
type echo struct{ conn *quic.Conn }

// HandleDatagrams implements quic.DatagramHandler.
func (e *echo) HandleDatagrams(_ *quic.Turn, datagrams [][]byte) {
	for _, b := range datagrams {
		_ = e.conn.SendDatagram(b) // lost if the queue is full, as datagrams may be
	}
}

// HandleTurn implements quic.TurnHandler: no goroutine has anything to do.
func (e *echo) HandleTurn(*quic.Turn) (woke bool) { return false }

// The rest of quic.Handler: there are no streams.

func (e *echo) HandleStream(*quic.Turn, quic.StreamRef) quic.StreamHandler { return nil }
func (e *echo) HandleStreamsAvailable(*quic.Turn)                          {}
func (e *echo) HandleClose(*quic.Turn, error)                              {}
