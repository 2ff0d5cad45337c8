package http3

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestListenSockets: what is open already is served, TCP and UDP, and closed in the end.
func TestListenSockets(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) })}
	if _, err := s.ListenSockets(nil, nil); err == nil {
		t.Error("listens on nothing")
	}
	ln, err := s.ListenSockets([]net.Listener{tcp}, []*quic.TransportConfig{{Sockets: []net.PacketConn{udp}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := ln.TCP(); len(got) != 1 || got[0] != tcp || ln.Addr().String() != udp.LocalAddr().String() {
		t.Errorf("TCP %v, UDP %v", got, ln.Addr())
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	overUDP := &Transport{TLSClientConfig: clientTLS}
	defer overUDP.Close()
	overTCP := &http.Transport{TLSClientConfig: clientTLS}
	defer overTCP.CloseIdleConnections()
	for url, transport := range map[string]http.RoundTripper{udp.LocalAddr().String(): overUDP, tcp.Addr().String(): overTCP} {
		resp, err := transport.RoundTrip(mustRequest(t, "https://"+url))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", tcp.Addr().String()); err == nil {
		t.Error("TCP is still listened on")
	}
}

// TestListenSocketsRefused: configurations that would open sockets of their own are refused,
// and what is open is closed then.
func TestListenSocketsRefused(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	for i, second := range []*quic.TransportConfig{nil, {}} {
		tcp, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		udp, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{TLSConfig: serverTLS}
		ln, err := s.ListenSockets([]net.Listener{tcp}, []*quic.TransportConfig{{Sockets: []net.PacketConn{udp}}, second})
		if err == nil {
			ln.Close()
			t.Fatalf("number %d listens at %v", i, ln.udp[1].Addr())
		}
		if !strings.Contains(err.Error(), "configuration 1") {
			t.Error(err)
		}
		if !errors.Is(udp.Close(), net.ErrClosed) || !errors.Is(tcp.Close(), net.ErrClosed) {
			t.Error("the sockets were left open")
		}
	}
}

// TestListenSocketsLocal: at a loopback address a certificate is made, as with ListenAll.
func TestListenSocketsLocal(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(Server).ListenSockets(nil, []*quic.TransportConfig{{Sockets: []net.PacketConn{udp}}})
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
}
