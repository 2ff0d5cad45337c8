package main

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/godwit-quic/godwit/quic"
)

// serveGodwitBlocking answers with a goroutine for each stream and calls that wait,
// as the other implementations in Go do; `godwit perf serve` is event-driven.
func serveGodwitBlocking(listen string, conf *tls.Config) (net.Addr, error) {
	ln, err := quic.Listen(listen, conf, &quic.Config{
		InitialStreamWindow: window, MaxStreamWindow: window,
		InitialConnWindow: window, MaxConnWindow: window,
	})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := ln.Accept(context.Background())
			if err != nil {
				return
			}
			go answerGodwit(conn)
		}
	}()
	return ln.Addr(), nil
}

func answerGodwit(conn *quic.Conn) {
	for {
		s, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			if answer(s) == nil {
				_ = s.Close() // the connection may have ended
			}
		}()
	}
}
