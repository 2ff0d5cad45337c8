package http3_test

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// A server on sockets that systemd, or an earlier process, has opened.
func ExampleServer_ListenSockets() {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	pair := httptest.NewTLSServer(nil) // whose certificate serves here
	defer pair.Close()
	server := &http3.Server{Handler: http.NotFoundHandler(), TLSConfig: pair.TLS}
	ln, err := server.ListenSockets([]net.Listener{tcp}, []*quic.TransportConfig{{Sockets: []net.PacketConn{udp}}})
	if err != nil {
		log.Fatal(err)
	}
	go ln.Serve()
	fmt.Println(ln.Addr().String() == udp.LocalAddr().String(), ln.TCP()[0] == tcp)
	server.Close()
	// Output: true true
}
