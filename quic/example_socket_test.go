package quic_test

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/netip"
	"syscall"

	"github.com/godwit-quic/godwit/quic"
)

// A server on a socket that was opened elsewhere: by systemd, in another process, or with
// options of one's own.
func ExampleTransportConfig_Listen() {
	serverTLS, _ := exampleTLS()
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		log.Fatal(err)
	}
	addr := socket.LocalAddr().String()
	conf := &quic.TransportConfig{Sockets: []net.PacketConn{socket}}
	ln, err := conf.Listen("", serverTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer ln.Close() // which closes the socket, too
	fmt.Println(ln.Addr().String() == addr)
	// Output: true
}

// Options of the socket before it is bound, and a resolver of one's own.
func ExampleTransportConfig_Dial() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(nil)
	defer ln.Transport().Close()
	_, port, _ := net.SplitHostPort(ln.Addr().String())

	socket := &quic.TransportConfig{Control: func(network, _ string, _ syscall.RawConn) error {
		fmt.Println("opening a socket of", network[:3])
		return nil
	}}
	hosts := map[string][]netip.Addr{"godwit.example": {netip.MustParseAddr("127.0.0.1")}}
	conn, err := socket.Dial(ctx, "godwit.example:"+port, clientTLS, &quic.Config{
		LookupHost: func(_ context.Context, host string) ([]netip.Addr, error) { return hosts[host], nil },
	})
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	fmt.Println(conn.RemoteAddr().String() == ln.Addr().String())
	// Output:
	// opening a socket of udp
	// true
}

// STUN or WireGuard at the port of QUIC.
func ExampleTransport_NonQUIC() {
	transport, err := quic.NewTransport("127.0.0.1:0", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer transport.Close()
	rest := transport.NonQUIC()

	peer, err := net.Dial("udp", transport.LocalAddr().String())
	if err != nil {
		log.Fatal(err)
	}
	defer peer.Close()
	peer.Write([]byte{0, 1, 0, 0}) // the beginning of a STUN request

	buf := make([]byte, 1500)
	n, from, err := rest.ReadFrom(buf)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(buf[:n], from.String() == peer.LocalAddr().String())
	rest.WriteTo([]byte{1, 1, 0, 0}, from)
	n, err = peer.Read(buf)
	fmt.Println(buf[:n], err)
	// Output:
	// [0 1 0 0] true
	// [1 1 0 0] <nil>
}
