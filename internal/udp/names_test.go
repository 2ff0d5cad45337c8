package udp

import (
	"fmt"
	"net"
	"testing"
)

// TestOwnName: however many strangers there are, a socket knows its own name.
func TestOwnName(t *testing.T) {
	n := newNames(&net.UnixAddr{Name: "own", Net: "unixgram"})
	for i := range 2*maxFreshNames + 1 {
		n.addrPort(&net.UnixAddr{Name: fmt.Sprint(i), Net: "unixgram"})
	}
	if a := n.addr(n.local); a == nil || a.String() != "own" {
		t.Errorf("the socket is at %v", a)
	}
}
