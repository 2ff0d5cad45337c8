package main

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const sent, delay = 10000, 25 * time.Millisecond
		var got atomic.Int64
		start := time.Now()
		a := newLane(link{delay: delay, loss: 0.01, seed: 1}, 0, func(b []byte) { got.Add(int64(len(b))) })
		defer close(a.queue)
		for range sent {
			a.add([]byte{1})
		}
		time.Sleep(delay - time.Nanosecond)
		synctest.Wait()
		if n := got.Load(); n != 0 {
			t.Errorf("%d datagrams after %v", n, time.Since(start))
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if lost := sent - got.Load(); lost < 50 || lost > 200 {
			t.Errorf("%d datagrams of %d are lost, want about 100", lost, sent)
		}
	})
}

func TestRelay(t *testing.T) {
	server, front, client := mustListen(t), mustListen(t), mustListen(t)
	go newRelay(front, addrOf(server), link{}).run()
	if _, err := client.WriteToUDPAddrPort([]byte("there"), addrOf(front)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, from, err := server.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "there" {
		t.Fatalf("the server got %q, %v", buf[:n], err)
	}
	if _, err := server.WriteToUDPAddrPort([]byte("back"), from); err != nil {
		t.Fatal(err)
	}
	n, from, err = client.ReadFromUDPAddrPort(buf)
	if err != nil || string(buf[:n]) != "back" || from != addrOf(front) {
		t.Fatalf("the client got %q from %v, %v", buf[:n], from, err)
	}
}

func mustListen(t *testing.T) *net.UDPConn {
	conn, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func addrOf(conn *net.UDPConn) netip.AddrPort { return conn.LocalAddr().(*net.UDPAddr).AddrPort() }
