package main

import (
	"crypto/tls"
	"net"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// serveGodwit echoes datagrams; for the rest there is `godwit perf serve`.
func serveGodwit(listen string, conf *tls.Config) (net.Addr, error) {
	newHandler := func(t event.Turn) event.Handler { return &echo{conn: t.Conn()} }
	ln, err := event.Listen(listen, nil, conf, &quic.Config{EnableDatagrams: true}, newHandler)
	if err != nil {
		return nil, err
	}
	return ln.Addr(), nil
}

// echo sends the datagrams of a connection back.
type echo struct{ conn *quic.Conn }

// HandleDatagrams implements event.DatagramHandler.
func (e *echo) HandleDatagrams(_ event.Turn, datagrams [][]byte) {
	for _, b := range datagrams {
		_ = e.conn.SendDatagram(b) // lost if the queue is full, as datagrams may be
	}
}

// HandleTurn implements event.TurnHandler: no goroutine has anything to do.
func (e *echo) HandleTurn(event.Turn) (woke bool) { return false }

// The rest of event.Handler: there are no streams.

func (e *echo) HandleStream(event.Turn, event.Stream) event.StreamHandler { return nil }
func (e *echo) HandleClose(event.Turn, error)                             {}
