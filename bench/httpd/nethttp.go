package main

import (
	"crypto/tls"
	"net"
	"net/http"
)

func serveNetHTTP(listen string, conf *tls.Config, _ int) (net.Addr, error) {
	ln, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	srv := &http.Server{
		Handler:     http.HandlerFunc(handle),
		TLSConfig:   conf,
		IdleTimeout: idleTimeout,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          streams,
			MaxReceiveBufferPerConnection: window,
			MaxReceiveBufferPerStream:     window,
		},
	}
	go func() { panic(srv.ServeTLS(ln, "", "")) }()
	return ln.Addr(), nil
}
