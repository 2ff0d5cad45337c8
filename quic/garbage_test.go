package quic

import (
	"bytes"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
)

// Malformed, truncated, random and empty datagrams, and ones of another
// version, break nothing, and the counters say what came.
func TestGarbage(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.serveEcho()
	c := e.dial()
	stranger, err := net.Dial("udp", e.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()

	header := []byte{0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0}
	otherVersion := bytes.Clone(header)
	otherVersion[4] = 9
	pad := func(b []byte, size int) []byte { return append(bytes.Clone(b), make([]byte, size-len(b))...) }
	datagrams := [][]byte{
		{},                      // empty
		{0xc3},                  // truncated within the header
		header[:10],             // likewise
		{0x40, 1, 2, 3},         // a short header without all of its ID
		pad(header, 100),        // an Initial packet in too small a datagram
		pad(header, 1200),       // one that says to be empty
		pad(otherVersion, 1200), // answered with Version Negotiation
		pad([]byte{0x43}, 500),  // for a connection that is not known
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := make([]byte, rng.IntN(1500))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		datagrams = append(datagrams, b)
	}
	for _, b := range datagrams {
		if _, err := stranger.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := e.echo(c, 1, 100); err != nil { // others are not disturbed; the datagram is read by then
			t.Fatal(err)
		}
	}
	s := e.listener.Transport().Stats()
	if s.Malformed < 3 || s.UnknownVersion == 0 || s.VersionsSent == 0 || s.UnknownID == 0 || s.TooShort == 0 {
		t.Errorf("counters: %+v", s)
	}
	if s.Accepted != 1 || s.Connections != 1 {
		t.Errorf("%d connections accepted, %d there; want the honest one", s.Accepted, s.Connections)
	}
}

// Corrupting and losing what a connection sends does no harm but to its speed.
func TestCorruption(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, closeAll := newMemEnv(t, nil, nil)
		defer closeAll()
		rng := rand.New(rand.NewPCG(3, 4))
		e.network.Drop(func(_, _ netip.AddrPort, b []byte) bool {
			if rng.IntN(20) == 0 {
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			}
			return rng.IntN(50) == 0
		})
		e.serveEcho()
		if err := e.echo(e.dial(), 5, 1<<20); err != nil {
			t.Error(err)
		}
		e.network.Drop(nil)
	})
}
