// Package demo is what `godwit serve` serves: a page, and routes that exercise
// an HTTP server in every direction, for people, tests and benchmarks.
//
//	handler, err := demo.New(demo.Options{})
//	if err != nil {
//		return err
//	}
//	http3.ListenAndServe("localhost:4433", handler)
//
// The routes work over every version of HTTP:
//
//	GET  /              a page to try the rest with; its parts are below /page/
//	GET  /hello         a short text
//	POST /echo          the body, sent back as it arrives
//	GET  /bytes/{n}     n bytes, the same every time, 16 GiB at most
//	POST /digest        {"bytes":N,"sha256":"…"} of the body
//	GET  /slow?ms=N     an answer after N milliseconds
//	GET  /trailers      a body with trailers
//	GET  /info          the connection and, over QUIC, its statistics, as JSON
//	ANY  /…             what is Options.Site's; the page is at /demo then
//
// CONNECT /echo, over HTTP/3, sends back the datagrams of an extended CONNECT request
// for EchoProtocol. Those below /wt/ open WebTransport sessions: see addWebTransport.
package demo

import "net/http"

// Options are what a handler can be given.
type Options struct {
	// Site answers requests for all that is no route of the demo; nil for nobody. The page
	// is at /demo then.
	Site http.Handler
	// CertHash is the SHA-256 of the server's certificate in hexadecimal digits now,
	// by which the page's WebTransport sessions accept it. Without it, or where it is empty, browsers
	// must trust the certificate otherwise; with it, it must be one that they
	// accept by its hash.
	CertHash func() string
	// Version is that of the program, for the page; "" for none.
	Version string
}

// New returns a handler with all routes.
func New(opts Options) http.Handler {
	mux := http.NewServeMux()
	at := "/{$}"
	if opts.Site != nil {
		at = "/demo"
		mux.Handle("/", opts.Site)
	}
	addPage(mux, at, opts)
	mux.HandleFunc("GET /hello", serveHello)
	mux.HandleFunc("POST /echo", serveEcho)
	mux.HandleFunc("CONNECT /echo", serveTunnel)
	mux.HandleFunc("GET /bytes/{n}", serveBytes)
	mux.HandleFunc("POST /digest", serveDigest)
	mux.HandleFunc("GET /slow", serveSlow)
	mux.HandleFunc("GET /trailers", serveTrailers)
	mux.HandleFunc("GET /info", serveInfo)
	addWebTransport(mux)
	return mux
}
