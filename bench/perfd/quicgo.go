package main

import (
	"context"
	"crypto/tls"
	"net"

	"github.com/quic-go/quic-go"
)

func serveQUICGo(listen string, conf *tls.Config) (net.Addr, error) {
	ln, err := quic.ListenAddr(listen, conf, &quic.Config{
		InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window,
		InitialConnectionReceiveWindow: window, MaxConnectionReceiveWindow: window,
		EnableDatagrams: true,
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
			go answerQUICGo(conn)
			go echoQUICGo(conn)
		}
	}()
	return ln.Addr(), nil
}

func answerQUICGo(conn *quic.Conn) {
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

func echoQUICGo(conn *quic.Conn) {
	for {
		b, err := conn.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		if conn.SendDatagram(b) != nil {
			return
		}
	}
}
