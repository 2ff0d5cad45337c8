// Package http3 serves net/http handlers over HTTP/3 (RFC 9114) and makes
// HTTP/3 requests for net/http clients.
//
// A server that speaks HTTP/1.1, HTTP/2 and HTTP/3 at one port is one call. It
// is meant for development and makes its own certificate:
//
//	http3.ListenAndServe("localhost:4433", handler)
//
// With a certificate of one's own, ListenAndServeTLS. What needs settings, or a
// shutdown that lets requests finish, is a Server:
//
//	srv := &http3.Server{Addr: ":443", Handler: handler, TLSConfig: conf}
//	go srv.ListenAndServe()
//	…
//	srv.Shutdown(ctx)
//
// A client is an http.Client with another Transport:
//
//	client := &http.Client{Transport: &http3.Transport{}}
//	resp, err := client.Get("https://example.com/")
//
// One that begins with TCP, and moves to HTTP/3 where servers offer it:
//
//	client := &http.Client{Transport: &http3.AltSvcTransport{}}
//
// An http.Server that exists already gets HTTP/3 by Attach.
//
// Handlers and clients find what they know from net/http: a test runs several
// hundred behaviours over HTTP/1.1, HTTP/2 and HTTP/3 and wants the same of all.
// What is different: a Transport's requests do not go through proxies, and
// HTTP_PROXY and its like are ignored, but an AltSvcTransport leaves what goes through one
// to TCP; there is no Hijack, and no server push.
//
// A connection without a running request costs memory and no goroutine, on both
// sides: control streams and the beginnings of requests are handled as events
// of package quic. A goroutine exists for each running handler, and stays for the
// next request for some seconds; and in clients for each request body that is
// being sent.
package http3

import "github.com/godwit-quic/godwit/internal/h3"

// NextProto is the protocol's name in TLS, for tls.Config.NextProtos.
const NextProto = h3.NextProto
