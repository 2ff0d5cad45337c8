package main

import (
	"context"
	"crypto/tls"
	"net"

	"golang.org/x/net/quic"
)

func serveXNet(listen string, conf *tls.Config) (net.Addr, error) {
	ep, err := quic.Listen("udp", listen, &quic.Config{
		TLSConfig:                conf,
		MaxStreamReadBufferSize:  window,
		MaxStreamWriteBufferSize: window,
		MaxConnReadBufferSize:    window,
	})
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			conn, err := ep.Accept(context.Background())
			if err != nil {
				return
			}
			go answerXNet(conn)
		}
	}()
	return net.UDPAddrFromAddrPort(ep.LocalAddr()), nil
}

func answerXNet(conn *quic.Conn) {
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
