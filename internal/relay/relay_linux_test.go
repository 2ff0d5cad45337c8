package relay

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/leak"
)

// TestLink: datagrams arrive as they were, both ways, and the end is noticed.
func TestLink(t *testing.T) {
	leak.Check(t)
	ours, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer theirs.Close()
	got, ended := make(chan engine.Datagram, 10), make(chan struct{})
	go func() {
		theirs.Run(func(d engine.Datagram) { got <- d })
		close(ended)
	}()
	for _, want := range []engine.Datagram{
		{Data: []byte("godwit"), ECN: 2, Path: path.Addrs{Remote: netip.MustParseAddrPort("192.0.2.1:443"), Local: netip.MustParseAddr("192.0.2.2")}},
		{Data: make([]byte, maxDatagram), ECN: 3, Path: path.Addrs{Remote: netip.MustParseAddrPort("[fe80::1%eth0]:1"), Local: netip.MustParseAddr("fe80::2%eth0")}},
		{Path: path.Addrs{Remote: netip.MustParseAddrPort("[2001:db8::1]:65535")}},
	} {
		if !ours.Pass(want) {
			t.Fatal("not passed")
		}
		if d := <-got; fmt.Sprint(d) != fmt.Sprint(want) {
			t.Errorf("got %v", d)
		}
	}
	d := engine.Datagram{Data: make([]byte, 1200)}
	if n := testing.AllocsPerRun(100, func() { ours.Pass(d); <-got }); n > 3 {
		t.Errorf("%v allocations", n) // of the reader: the bytes
	}
	ours.Close()
	<-ended
	if theirs.Pass(d) {
		t.Error("passed to nobody")
	}
}

// TestLeave: what was said last about who reads the socket is known in the end.
func TestLeave(t *testing.T) {
	leak.Check(t)
	for _, words := range [][]bool{nil, {true}, {true, false}} {
		ours, file, err := Pair()
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := Open(file)
		if err != nil {
			t.Fatal(err)
		}
		want := false
		for _, left := range words {
			want = left
			if !ours.Leave(left) {
				t.Error("not told")
			}
		}
		ours.Close()
		if left := theirs.Run(func(d engine.Datagram) { t.Errorf("a datagram: %v", d) }); left != want {
			t.Errorf("left is %v after %v", left, words)
		}
		theirs.Close()
	}
}

// TestLinkFull: who does not read makes nobody wait.
func TestLinkFull(t *testing.T) {
	leak.Check(t)
	ours, file, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	defer ours.Close()
	d := engine.Datagram{Data: make([]byte, 1200)}
	for n := 0; ours.Pass(d); n++ {
		if n > 4*linkBuffer/len(d.Data) {
			t.Fatal("there is room without end")
		}
	}
}

// FuzzParse: what came apart is refused, and never more than that.
func FuzzParse(f *testing.F) {
	f.Add([]byte{0, 6, 1, 2, 3, 4, 0, 1, 0, 5})
	f.Add([]byte{1, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) { parse(b) })
}
