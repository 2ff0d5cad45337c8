package main

import (
	"crypto/tls"
	"net"
	"net/http"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

func serveQUICGo(listen string, conf *tls.Config, _ int) (net.Addr, error) {
	ln, err := quic.ListenAddrEarly(listen, http3.ConfigureTLSConfig(conf), &quic.Config{
		InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window,
		InitialConnectionReceiveWindow: window, MaxConnectionReceiveWindow: window,
		MaxIncomingStreams: streams,
		MaxIdleTimeout:     idleTimeout,
	})
	if err != nil {
		return nil, err
	}
	srv := &http3.Server{Handler: http.HandlerFunc(handle)}
	go func() { panic(srv.ServeListener(ln)) }()
	return ln.Addr(), nil
}
