package interop

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	quicgo "github.com/quic-go/quic-go"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// moved is how much goes each way while a client moves, in bytes.
const moved = 64 << 20

// TestMovesToQuicGo has our client move between 127.0.0.1 and 127.0.0.2 five times in the
// middle of a transfer both ways, with quic-go's server.
func TestMovesToQuicGo(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, echoALPN)
	ln, err := quicgo.ListenAddr("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		if s, err := conn.AcceptStream(ctx); err == nil {
			echo(s)
		}
	}()
	var transports [2]*quic.Transport
	for i, addr := range []string{"127.0.0.1:0", "127.0.0.2:0"} {
		if transports[i], err = quic.NewTransport(addr, nil); err != nil {
			t.Fatal(err)
		}
		defer transports[i].Close()
	}
	conn, err := transports[0].Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	s, err := conn.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	first := conn.Path()
	second, err := conn.AddPath(transports[1])
	if err != nil {
		t.Fatal(err)
	}
	back := roundTrip(s, func() error { return s.Close() })
	for i := range 5 {
		p := []*quic.Path{second, first}[i%2]
		if err := errors.Join(p.Probe(ctx), p.Switch()); err != nil {
			t.Fatalf("move %d: %v", i+1, err)
		}
	}
	if err := <-back; err != nil {
		t.Error(err)
	}
}

// TestQuicGoMoves is TestMovesToQuicGo with quic-go's client and our server. It goes to
// further sockets, as it has no way back.
func TestQuicGoMoves(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, echoALPN)
	ln, err := quic.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Transport().Close()
	served := make(chan *quic.Conn, 1)
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		served <- conn
		if s, err := conn.AcceptStream(ctx); err == nil {
			echo(s)
		}
	}()
	open := func(ip net.IP) *quicgo.Transport {
		socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: ip})
		if err != nil {
			t.Fatal(err)
		}
		tr := &quicgo.Transport{Conn: socket}
		t.Cleanup(func() { tr.Close(); socket.Close() })
		return tr
	}
	conn, err := open(net.IPv4(127, 0, 0, 1)).Dial(ctx, ln.Addr(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := conn.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	back := roundTrip(s, s.Close)
	var last *quicgo.Path // which keeps a connection ID, of which there are four, until it is closed
	for i := range 5 {
		tr := open(net.IPv4(127, 0, 0, byte(2+i)))
		p, err := conn.AddPath(tr)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(p.Probe(ctx), p.Switch()); err != nil {
			t.Fatalf("move %d: %v", i+1, err)
		}
		if last != nil {
			if err := last.Close(); err != nil {
				t.Fatal(err)
			}
		}
		last = p
	}
	if err := <-back; err != nil {
		t.Error(err)
	}
	if a := (<-served).RemoteAddr().(*net.UDPAddr); !a.IP.Equal(net.IPv4(127, 0, 0, 6)) {
		t.Errorf("our server sees the client at %v", a)
	}
	_ = conn.CloseWithError(0, "")
}

// roundTrip sends much by a stream whose other end echoes, and tells whether it came back
// whole.
func roundTrip(s io.ReadWriter, closeWrite func() error) <-chan error {
	result, sent := make(chan error, 1), make(chan error, 1)
	want := sha256.New()
	go func() {
		_, err := io.CopyN(io.MultiWriter(s, want), rand.NewChaCha8([32]byte{1}), moved)
		sent <- errors.Join(err, closeWrite())
	}()
	go func() {
		got := sha256.New()
		n, err := io.Copy(got, s)
		if err = errors.Join(err, <-sent); err == nil && (n != moved || !bytes.Equal(got.Sum(nil), want.Sum(nil))) {
			err = errors.New("what came back is not what was sent")
		}
		result <- err
	}()
	return result
}
