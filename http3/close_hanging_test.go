package http3

import (
	"context"
	"net/http"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/test/quicmem"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// Close of a Server and of a Transport returns although a callback hangs on the event loop,
// and what is left is done when that returns.
func TestCloseWithHangingLoop(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	for _, side := range []string{"server", "client"} {
		synctest.Test(t, func(t *testing.T) {
			network := memnet.New(time.Millisecond)
			transport := func(addr string) *quic.Transport {
				return quicmem.NewTransport(network.Listen(netip.MustParseAddrPort(addr)), nil, nil).(*quic.Transport)
			}
			const addr = "192.0.2.1:443"
			serverSocket, clientSocket := transport(addr), transport("192.0.2.2:5000")
			conns := make(chan *quic.Conn, 1)
			srv := &Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { conns <- RequestConn(r) })}
			ln, err := srv.ListenOn(serverSocket)
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- srv.Serve(ln) }()
			clientTLS := clientTLS.Clone()
			clientTLS.InsecureSkipVerify = true // the bubble's clock is not the certificate's
			client := &Transport{QUICTransport: clientSocket, TLSClientConfig: clientTLS}
			req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "https://"+addr+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := client.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()

			conn, closeIt := <-conns, srv.Close
			if side == "client" {
				for cc := range client.live {
					conn = cc.qc
				}
				closeIt = client.Close
			}
			hang, hanging := make(chan struct{}), make(chan struct{})
			event.Run(conn, func(event.Turn) { close(hanging); <-hang })
			<-hanging
			start := time.Now()
			_ = closeIt()
			if took := time.Since(start); took > closeTimeout {
				t.Errorf("%s: Close took %v, want %v at most", side, took, closeTimeout)
			}
			close(hang)
			_ = client.Close()
			_ = srv.Close()
			<-served
			_ = clientSocket.Close()
			_ = serverSocket.Close()
		})
	}
}
