package main

import (
	"crypto/tls"
	"net"
	"net/http"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// fixed is respond without a handler.
func fixed(body []byte) *http3.FixedResponse {
	return http3.NewFixedResponse(http.StatusOK, http.Header{"Content-Type": {"text/plain"}}, body)
}

func serveGodwit(listen string, conf *tls.Config, loops int) (net.Addr, error) {
	srv := &http3.Server{
		Handler:       http.HandlerFunc(handle),
		BypassHandler: map[string]*http3.FixedResponse{"/fixed/small": fixed(small), "/fixed/10k": fixed(medium)},
		TLSConfig:     conf,
		QUICConfig: &quic.Config{
			InitialStreamWindow: window, MaxStreamWindow: window,
			InitialConnWindow: window, MaxConnWindow: window,
			MaxIncomingStreams: streams,
			MaxIdleTimeout:     idleTimeout,
		},
		QUICTransportConfig: &quic.TransportConfig{Loops: loops},
	}
	ln, err := srv.Listen(listen)
	if err != nil {
		return nil, err
	}
	go func() { panic(srv.Serve(ln)) }()
	return ln.Addr(), nil
}
