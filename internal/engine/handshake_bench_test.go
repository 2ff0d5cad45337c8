package engine_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
)

// BenchmarkHandshake makes connections and closes them: what a handshake costs,
// crypto/tls included, both sides together.
func BenchmarkHandshake(b *testing.B) {
	b.Run("full", func(b *testing.B) { benchHandshake(b, nil) })
	b.Run("resumed", func(b *testing.B) { benchHandshake(b, tls.NewLRUClientSessionCache(1)) })
}

func benchHandshake(b *testing.B, cache tls.ClientSessionCache) {
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		b.Fatal(err)
	}
	server, err := handshake.NewServer(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	conf := &tls.Config{
		InsecureSkipVerify: true,
		NextProtos:         []string{"h3"},
		CurvePreferences:   []tls.CurveID{tls.X25519},
		ClientSessionCache: cache,
	}
	p := newDirectPair(func() engine.TLS { return server.NewConn() })
	connect := func() *handshake.Conn {
		client, err := handshake.NewClient(conf, "localhost", false)
		if err != nil {
			b.Fatal(err)
		}
		p.dial(client)
		p.end()
		return client
	}
	connect()
	p.packets = 0
	b.ReportAllocs()
	for b.Loop() {
		if state := connect().ConnectionState(); !state.HandshakeComplete || state.DidResume != (cache != nil) {
			b.Fatalf("complete %v, resumed %v", state.HandshakeComplete, state.DidResume)
		}
	}
	b.ReportMetric(float64(p.packets)/float64(b.N), "packets/op")
}
