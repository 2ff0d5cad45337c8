package main

import (
	"crypto/tls"
	"net"
	"net/http"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

func serveGodwit(listen string, conf *tls.Config) (net.Addr, error) {
	srv := &http3.Server{
		Handler:   http.HandlerFunc(handle),
		TLSConfig: conf,
		QUICConfig: &quic.Config{
			InitialStreamWindow: window, MaxStreamWindow: window,
			InitialConnWindow: window, MaxConnWindow: window,
			MaxIncomingStreams: streams,
			MaxIdleTimeout:     idleTimeout,
		},
	}
	ln, err := srv.Listen(listen)
	if err != nil {
		return nil, err
	}
	go func() { panic(srv.Serve(ln)) }()
	return ln.Addr(), nil
}
