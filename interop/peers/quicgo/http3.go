package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"

	"github.com/godwit-quic/godwit/interop/contract"
)

func serveHTTP3(ctx context.Context, e *contract.Environment, conf *quic.Config) error {
	tlsConf, err := e.ServerTLS(http3.NextProtoH3)
	if err != nil {
		return err
	}
	srv := &http3.Server{Addr: e.Address, TLSConfig: tlsConf, QUICConfig: conf, Handler: http.FileServer(http.Dir(e.WWW))}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	return srv.ListenAndServe()
}

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
