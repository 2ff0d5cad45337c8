package handshake

import (
	"bytes"
	"crypto/tls"
	"math"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// clientHello returns a hello of crypto/tls.
func clientHello(t testing.TB, params string) []byte {
	_, config := testConfigs(t)
	c, err := NewClient(config, "localhost", false)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Start(wire.Version1, []byte(params)); err != nil {
		t.Fatal(err)
	}
	e := c.NextEvent()
	if e.Kind != engine.TLSWriteData {
		t.Fatalf("event %d", e.Kind)
	}
	return bytes.Clone(e.Data)
}

func TestHelloParameters(t *testing.T) {
	hello := clientHello(t, "parameters")
	for n := range hello {
		if params, _, whole := scanHello(hello[:n]); params != nil || whole {
			t.Fatalf("%d of %d bytes: %q, %v", n, len(hello), params, whole)
		}
	}
	if params, _, whole := scanHello(append(hello, "more"...)); string(params) != "parameters" || !whole {
		t.Fatalf("found %q, %v", params, whole)
	}
	if params, _, whole := scanHello(clientHello(t, "")); len(params) != 0 || !whole {
		t.Fatalf("found %q, %v, want none", params, whole)
	}
	for name, b := range map[string][]byte{
		"another message": {2},
		"too long":        {1, 1, 0, 1},
		"too short":       {1, 0, 0, 2, 3, 3},
		"empty":           {1, 0, 0, 0},
	} {
		if params, _, whole := scanHello(b); params != nil || !whole {
			t.Errorf("%s: %q, %v", name, params, whole)
		}
	}
}

// FuzzHello: whatever comes, more bytes do not change what was found, and a server
// given it in pieces does not panic.
func FuzzHello(f *testing.F) {
	f.Add(clientHello(f, "parameters"), uint16(100))
	f.Add([]byte{1, 0, 0, 2, 3, 3}, uint16(1))
	serverConfig, _ := testConfigs(f)
	srv, err := NewServer(serverConfig, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint16) {
		head := b[:min(int(cut), len(b))]
		params, _, whole := scanHello(head)
		if again, _, _ := scanHello(b); whole && !bytes.Equal(params, again) {
			t.Fatalf("%x, and with more bytes %x", params, again)
		}
		s := newEnd(srv.NewConn())
		defer s.conn.Close()
		for _, piece := range [][]byte{head, b[len(head):]} {
			if s.err = s.conn.HandleData(wire.InitialLevel, piece); s.err != nil {
				return
			}
			if s.poll(); s.err != nil {
				return
			}
		}
	})
}

// A server that asks for a second hello has told of the parameters after the first.
func TestSecondHello(t *testing.T) {
	serverConfig, clientConfig := testConfigs(t)
	serverConfig.CurvePreferences = []tls.CurveID{tls.CurveP384}
	clientConfig.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
	client, server := newPair(t, serverConfig, clientConfig)
	c, s := newEnd(client), newEnd(server)
	c.err = c.finish(client.Start(wire.Version1, []byte("parameters of the client")))
	c.poll()
	c.deliver(s, math.MaxInt)
	if s.err != nil || string(s.peerParams) != "parameters of the client" || len(s.secrets) != 0 || len(s.out) != 1 {
		t.Fatalf("after the first hello: %v, parameters %q, %d secrets, %d messages", s.err, s.peerParams, len(s.secrets), len(s.out))
	}
	for c.err == nil && s.err == nil && len(c.out)+len(s.out) > 0 {
		s.deliver(c, math.MaxInt)
		c.deliver(s, math.MaxInt)
	}
	wantDone(t, c, s)
}
