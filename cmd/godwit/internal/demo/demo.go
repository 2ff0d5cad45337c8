// Package demo is what `godwit serve` serves: a page, and routes that exercise
// an HTTP server in every direction, for people, tests and benchmarks.
//
//	handler, err := demo.New(demo.Options{Root: "public"})
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
//	GET  /files/…       files of Options.Root, with ranges
//
// CONNECT /echo, over HTTP/3, sends back the datagrams of an extended CONNECT request
// for EchoProtocol. Those below /wt/ open WebTransport sessions: see addWebTransport.
package demo

import (
	"fmt"
	"net/http"
	"os"
)

// Options are what a handler can be given.
type Options struct {
	// Root is the directory behind /files/. Nothing outside of it is served,
	// not even through symbolic links. Without it there are no files.
	Root string
	// CertHash is the SHA-256 of the server's certificate in hexadecimal digits,
	// by which the page's WebTransport sessions accept it. Without it, browsers
	// must trust the certificate otherwise; with it, it must be one that they
	// accept by its hash.
	CertHash string
}

// New returns a handler with all routes. It fails when Root cannot be opened.
func New(opts Options) (http.Handler, error) {
	mux := http.NewServeMux()
	addPage(mux, opts.CertHash)
	mux.HandleFunc("GET /hello", serveHello)
	mux.HandleFunc("POST /echo", serveEcho)
	mux.HandleFunc("CONNECT /echo", serveTunnel)
	mux.HandleFunc("GET /bytes/{n}", serveBytes)
	mux.HandleFunc("POST /digest", serveDigest)
	mux.HandleFunc("GET /slow", serveSlow)
	mux.HandleFunc("GET /trailers", serveTrailers)
	mux.HandleFunc("GET /info", serveInfo)
	addWebTransport(mux)
	files, err := fileHandler(opts.Root)
	if err != nil {
		return nil, err
	}
	mux.Handle("GET /files/", files)
	return mux, nil
}

// fileHandler serves the files of a directory. The directory stays open until
// the process ends.
func fileHandler(dir string) (http.Handler, error) {
	if dir == "" {
		return http.HandlerFunc(serveNoFiles), nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("directory of files to serve: %w", err)
	}
	return http.StripPrefix("/files/", http.FileServerFS(root.FS())), nil
}

func serveNoFiles(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "no files are served: godwit serve was started without --root DIR", http.StatusNotFound)
}
