package quic

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic/quictest"
)

// stunRequest is the beginning of a STUN request (RFC 8489, Section 5), as a number has it.
func stunRequest(n int) []byte {
	return fmt.Appendf([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, "%04d", n)
}

// answerSTUN answers what comes to c with what it came from, and returns how many.
func answerSTUN(c net.PacketConn) (n int) {
	buf := make([]byte, 2000)
	for {
		size, from, err := c.ReadFrom(buf)
		if err != nil {
			return n
		}
		n++
		buf[0] = 1 // a success response
		if _, err := c.WriteTo(append(buf[:size], from.String()...), from); err != nil {
			return n
		}
	}
}

// TestNonQUIC: STUN is spoken at the port of a server while connections use it, on one
// loop or several, and the client's side likewise.
func TestNonQUIC(t *testing.T) {
	leak.Check(t)
	e := newEnv(t, nil, nil)
	server, client := e.listener.Transport(), e.transport.NonQUIC()
	answered, stun := make(chan int), server.NonQUIC() // from now on it is kept
	go func() { answered <- answerSTUN(stun) }()
	client.SetReadDeadline(time.Now().Add(time.Minute))
	var transfer sync.WaitGroup
	transfer.Go(func() { e.transfer(peertest.Content(4 << 20)) })
	const requests = 100
	buf := make([]byte, 2000)
	for n := range requests {
		if _, err := client.WriteTo(stunRequest(n), e.listener.Addr()); err != nil {
			t.Fatal(err)
		}
		size, from, err := client.ReadFrom(buf)
		if err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		want := stunRequest(n)
		want[0] = 1
		if got := string(buf[:size]); got != string(want)+e.transport.LocalAddr().String() || from.String() != e.listener.Addr().String() {
			t.Fatalf("%q from %v", got, from)
		}
	}
	transfer.Wait()
	e.pair()
	if s := server.Stats(); s.Malformed+s.UnknownID != 0 {
		t.Errorf("STUN counts as QUIC: %+v", s)
	}
	if _, err := client.WriteTo(buf[:1], nil); err == nil {
		t.Error("wrote to nobody")
	}
	server.Close()
	if n := <-answered; n != requests {
		t.Errorf("%d requests were read", n)
	}
	if _, err := server.NonQUIC().WriteTo(buf[:1], client.LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after the transport's end: %v", err)
	}
}

// TestNonQUICBounds: nothing is kept that nobody asked for, nor more than there is room for.
func TestNonQUICBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := quictest.NewNetwork(quictest.Link{Delay: time.Millisecond})
		tr, err := NewTransport("", onSockets(network.Listen("192.0.2.1:443")))
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		other := network.Listen("192.0.2.2:1")
		defer other.Close()
		send := func(n int) {
			for i := range n {
				if _, err := other.WriteTo(stunRequest(i), tr.LocalAddr()); err != nil {
					t.Error(err)
				}
			}
			time.Sleep(time.Second)
		}
		send(5) // which are lost
		rest := tr.NonQUIC()
		send(maxNonQUICPackets + 5)
		buf := make([]byte, 2000)
		for i := range maxNonQUICPackets {
			n, from, err := rest.ReadFrom(buf)
			if err != nil || string(buf[:n]) != string(stunRequest(i)) || from.String() != "192.0.2.2:1" {
				t.Fatalf("%q from %v, %v", buf[:n], from, err)
			}
		}
		if s := tr.Stats(); s.NonQUICDropped != 5 || s.Malformed+s.UnknownID != 5 {
			t.Errorf("%d were dropped, %d malformed", s.NonQUICDropped, s.Malformed+s.UnknownID)
		}
		wantTimeout := func(after time.Duration) {
			t.Helper()
			start := time.Now()
			if _, _, err := rest.ReadFrom(buf); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != after {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		}
		rest.SetDeadline(time.Now().Add(time.Minute))
		wantTimeout(time.Minute)
		wantTimeout(0)
		rest.SetReadDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { rest.SetReadDeadline(time.Now()) })
		wantTimeout(time.Hour)
		if rest.Close() != nil || !errors.Is(rest.Close(), net.ErrClosed) {
			t.Error("Close fails, or does not the second time")
		}
		if _, _, err := rest.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		tr.NonQUIC() // opens it again, without a deadline
		time.AfterFunc(time.Hour, func() { tr.Close() })
		if _, _, err := rest.ReadFrom(buf); !errors.Is(err, net.ErrClosed) {
			t.Errorf("after the transport's end: %v", err)
		}
	})
}
