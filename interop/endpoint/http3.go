package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/quic"
)

// serveHTTP3 serves files over HTTP/3.
func serveHTTP3(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	return serveHandler(ctx, e, &http3.Server{QUICConfig: conf, Handler: http.FileServer(http.Dir(e.WWW))})
}

// serveHandler serves what srv has until ctx ends.
func serveHandler(ctx context.Context, e *contract.Environment, srv *http3.Server) error {
	tlsConf, err := e.ServerTLS()
	if err != nil {
		return err
	}
	srv.Addr, srv.TLSConfig, srv.DisableTCP = e.Address, tlsConf, true
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	return srv.ListenAndServe()
}

// fetchHTTP3 fetches files over HTTP/3, all at once.
func fetchHTTP3(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	tlsConf, err := e.ClientTLS()
	if err != nil {
		return err
	}
	tr := &http3.Transport{TLSClientConfig: tlsConf, QUICConfig: conf}
	defer tr.Close()
	return contract.Each(ctx, e.Requests, func(ctx context.Context, u *url.URL) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
		if err != nil {
			return err
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("%s: %s", u, resp.Status)
		}
		return e.Save(resp.Body, u)
	})
}
