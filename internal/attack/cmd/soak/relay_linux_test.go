package main

import (
	"net"
	"testing"
)

// TestRelay: what passes comes from another address after each move, and nothing passes
// after the close.
func TestRelay(t *testing.T) {
	server, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	r, err := newRelay(server.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("udp4", r.addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	seen := make(map[string]bool)
	buf := make([]byte, 100)
	for range 3 {
		if _, err := client.Write([]byte("ping")); err != nil {
			t.Fatal(err)
		}
		n, from, err := server.ReadFromUDP(buf)
		if err != nil || string(buf[:n]) != "ping" {
			t.Fatalf("%q, %v", buf[:n], err)
		}
		seen[from.String()] = true
		if _, err := server.WriteToUDP([]byte("pong"), from); err != nil {
			t.Fatal(err)
		}
		if n, err = client.Read(buf); err != nil || string(buf[:n]) != "pong" {
			t.Fatalf("%q, %v", buf[:n], err)
		}
		if err := r.move(somewhere()); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 3 {
		t.Errorf("the client came from %v", seen)
	}
	r.close() // waits until nothing is passed on any more
}
