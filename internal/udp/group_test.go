package udp

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// byFirstByte gives a datagram to the socket that its first byte names.
var byFirstByte = []bpf.Instruction{bpf.LoadAbsolute{Off: 0, Size: 1}, bpf.RetA{}}

func TestGroup(t *testing.T) {
	if runtime.GOOS != "linux" {
		peertest.LeaveOut(t, "several sockets on one address", "run it on Linux")
	}
	for _, addr := range []string{"127.0.0.1:0", "[::]:0"} {
		g, err := ListenGroup(addr, 3, byFirstByte, Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		if !g.Steered {
			t.Error("the filter was not attached")
		}
		peer, err := Listen("127.0.0.1:0", Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		to := netipLoopback(g.LocalAddr().Port())
		for range 5 {
			for i := range g.Sockets {
				if err := peer.Send([]byte{byte(i), 1, 2}, 0, to, peer.LocalAddr().Addr(), 0); err != nil {
					t.Fatal(err)
				}
				msgs, err := g.Sockets[i].Recv(time.Now().Add(10 * time.Second))
				if err != nil || len(msgs) != 1 || msgs[0].Data[0] != byte(i) {
					t.Fatalf("socket %d got %v, %v", i, msgs, err)
				}
			}
		}
		// Nobody else gets the address, nor a second group.
		if _, err := ListenGroup(net.JoinHostPort(host(addr), port(g)), 2, byFirstByte, Config{}); !errors.Is(err, errInUse) {
			t.Errorf("a second group: %v", err)
		}
	}
}

func host(addr string) string {
	h, _, _ := net.SplitHostPort(addr)
	return h
}

func port(g *Group) string {
	_, p, _ := net.SplitHostPort(g.LocalAddr().String())
	return p
}

func netipLoopback(port uint16) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
}
