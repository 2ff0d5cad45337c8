// Package http3 serves net/http handlers over HTTP/3 (RFC 9114) and makes
// HTTP/3 requests for net/http clients.
//
// A server that speaks HTTP/1.1, HTTP/2 and HTTP/3 at one port is one call:
//
//	http3.ListenAndServeTLS(":443", "cert.pem", "key.pem", handler)
//
// and for development at localhost, with a certificate that it makes itself:
//
//	http3.ListenAndServe("localhost:4433", handler)
//
// What needs settings, or a shutdown that lets requests finish, is a Server:
//
//	srv := &http3.Server{Addr: ":443", Handler: handler, TLSConfig: conf}
//	served := make(chan error, 1)
//	go func() { served <- srv.ListenAndServe() }()
//	select {
//	case err := <-served:
//		return err
//	case <-ctx.Done(): // the program is to end
//		return srv.Shutdown(patience)
//	}
//
// ListenAndServe waits, and its error says why nothing is served: the port may be taken. It
// is http.ErrServerClosed after Shutdown. An http.Server that exists already gets HTTP/3 by
// Attach, which advertises it over TCP, too. Only where something else serves TCP are
// Server.Listen, for HTTP/3 alone, and Server.Advertise of use.
//
// A client is an http.Client with another Transport:
//
//	client := &http.Client{Transport: &http3.Transport{}}
//	resp, err := client.Get("https://example.com/")
//
// That is for servers that are known to have HTTP/3. An Upgrader is for all: it begins with
// TCP, and moves to HTTP/3 where servers offer it:
//
//	client := &http.Client{Transport: &http3.Upgrader{}}
//
// Handlers and clients find what they know from net/http: a test runs several
// hundred behaviours over HTTP/1.1, HTTP/2 and HTTP/3 and wants the same of all.
// Flush, interim responses, trailers, full duplex, io.ReaderFrom and the deadlines of an
// http.ResponseController work. What is different: a Transport's requests do not go through
// proxies, and HTTP_PROXY and its like are ignored, but an Upgrader leaves what goes through
// one to TCP; there is no Hijack, and no server push. Responses are sent in the order of
// RFC 9218: by the request's Priority field, until a client's PRIORITY_UPDATE changes it.
//
// A connection without a running request costs memory and no goroutine, on both sides:
// control streams and the beginnings of requests are handled on event loops. There is a
// goroutine for each handler that runs, which stays for the next request for some seconds,
// and at clients one for each request body that is being sent.
//
// # Errors
//
// What errors.Is and errors.As find in the errors of this package:
//
//	a request was reset, by either end    *Error, without WholeConn
//	a connection was closed for an error  *Error, with WholeConn
//	a connection failed otherwise         those of package quic, like *quic.IdleTimeoutError
//	no connection was to be had           those of package quic, *net.DNSError, *tls.CertificateVerificationError
//	a context ended                       context.Cause(ctx); in a handler context.Canceled as well
//	a deadline passed                     os.ErrDeadlineExceeded; a net.Error with Timeout from a Transport
//	a Server has been closed              http.ErrServerClosed
//	a body is read after Close            http.ErrBodyReadAfterClose
//	an extended CONNECT was not taken     ErrNoExtendedConnect at a client, ErrNoTunnel at a server
//
// Errors of a Transport name the server, and lead to those in the table.
package http3
