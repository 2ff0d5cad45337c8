// Package http3 gives net/http's tests Godwit as their HTTP/3, by the two functions that
// golang.org/x/net/http3 gives them. It does what a user of Attach and Register does, and
// no more.
package http3

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	_ "unsafe" // for go:linkname

	"golang.org/x/net/quic"

	"github.com/godwit-quic/godwit/http3"
)

// hook is what net/http calls HTTP/3.
const hook = "http/3"

//go:linkname attach net/http_test.registerHTTP3Server
func attach(srv *http.Server) <-chan *quic.Endpoint {
	s := new(http3.Server)
	if err := http3.Attach(srv, s); err != nil {
		panic(err)
	}
	begin := srv.TLSNextProto[hook]
	if begin == nil {
		panic("Attach did not use net/http's hook")
	}
	serving := make(chan *quic.Endpoint, 1)
	srv.TLSNextProto[hook] = func(srv *http.Server, conn *tls.Conn, h http.Handler) {
		begin(srv, conn, h)
		serving <- &quic.Endpoint{Local: netip.AddrPortFrom(netip.IPv6Unspecified(), advertised(s))}
	}
	return serving
}

// advertised returns the port where a server says that it is.
func advertised(s *http3.Server) (port uint16) {
	w := httptest.NewRecorder()
	s.Advertise(http.NotFoundHandler()).ServeHTTP(w, httptest.NewRequest("GET", "https://localhost/", nil))
	if _, err := fmt.Sscanf(w.Header().Get("Alt-Svc"), `h3=":%d"`, &port); err != nil {
		panic(fmt.Sprintf("no port in %v: %v", w.Header(), err))
	}
	return port
}

//go:linkname register net/http_test.registerHTTP3Transport
func register(tr *http.Transport) <-chan *quic.Endpoint {
	t := &http3.Transport{TLSClientConfig: tr.TLSClientConfig}
	t.Register(tr)
	made := make(chan *quic.Endpoint, 1)
	made <- &quic.Endpoint{Finish: t.Close}
	return made
}
