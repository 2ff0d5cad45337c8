package demo

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/godwit-quic/godwit/http3"
)

// EchoProtocol is the :protocol of the extended CONNECT requests (RFC 9220) that
// CONNECT /echo accepts. It stands for datagrams that come back.
const EchoProtocol = "datagram-echo"

// maxTunnel is how long a tunnel of CONNECT /echo lives: each holds two goroutines.
const maxTunnel = 10 * time.Minute

// serveTunnel sends the datagrams of an extended CONNECT request back until the
// client ends it.
func serveTunnel(w http.ResponseWriter, r *http.Request) {
	if http3.Protocol(r) != EchoProtocol {
		// RFC 9220, Section 3
		http.Error(w, "only the protocol "+EchoProtocol+" is known here, over HTTP/3", http.StatusNotImplemented)
		return
	}
	tunnel, err := http3.AcceptTunnel(w)
	if err != nil { // as over HTTP/2
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return
	}
	echoTunnel(tunnel, maxTunnel)
}

// echoTunnel sends the datagrams of a tunnel back until the client ends it or it has
// lived for so long.
func echoTunnel(tunnel *http3.Tunnel, life time.Duration) {
	end := time.AfterFunc(life, func() { tunnel.Abort(http3.ErrCodeNoError) })
	defer end.Stop()
	go echoDatagrams(tunnel)
	_, _ = io.Copy(io.Discard, tunnel) // its end is the tunnel's, however it comes
	_ = tunnel.Close()
}

// datagrams is a tunnel or a session.
type datagrams interface {
	ReceiveDatagram(ctx context.Context) ([]byte, error)
	SendDatagram(p []byte) error
}

// echoDatagrams sends datagrams back until no more can come.
func echoDatagrams(d datagrams) {
	for {
		p, err := d.ReceiveDatagram(context.Background())
		if err != nil {
			return
		}
		_ = d.SendDatagram(p) // one that cannot be sent is lost, as datagrams may be
	}
}
