package quic

import (
	"context"
	"crypto/tls"

	"github.com/godwit-quic/godwit/internal/face"
)

// What package event makes public.
func init() {
	face.Of = func(conn any) *face.Conn { return &conn.(*Conn).face }
	face.Name = nameOf
	face.Listen = func(addr string, tc any, tlsConf *tls.Config, conf, newHandler any) (any, error) {
		return tc.(*TransportConfig).listen(addr, tlsConf, conf.(*Config), newHandler)
	}
	face.ListenOn = func(t any, tlsConf *tls.Config, conf, newHandler any) (any, error) {
		return t.(*Transport).listen(tlsConf, conf.(*Config), newHandler)
	}
	face.Dial = func(ctx context.Context, addr string, tlsConf *tls.Config, conf, newHandler any) (any, error) {
		return new(TransportConfig).dial(ctx, addr, tlsConf, conf.(*Config), newHandler)
	}
	face.DialOn = func(ctx context.Context, t any, addr string, tlsConf *tls.Config, conf, newHandler any) (any, error) {
		return t.(*Transport).dial(ctx, addr, tlsConf, conf.(*Config), newHandler)
	}
	face.Open = func(ctx context.Context, conn any, uni bool, begin any) (face.Ref, error) {
		return conn.(*Conn).open(ctx, &openRequest{uni: uni, begin: begin})
	}
}
