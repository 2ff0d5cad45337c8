package admission

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
)

var limits = Limits{RetryAbove: 4, Handshakes: 6, HandshakesPerSource: 3, Conns: 20, ConnsPerSource: 8}

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// TestVerdicts asks for clients of some sources in turn.
func TestVerdicts(t *testing.T) {
	g := New(limits)
	admit := func(from string, proved bool, want engine.Verdict) engine.Place {
		t.Helper()
		p, got := g.Admit(addr(from), proved)
		if got != want {
			t.Fatalf("%s, proved %v: verdict %d, want %d", from, proved, got, want)
		}
		return p
	}
	for range 3 {
		admit("192.0.2.1", false, engine.Accept)
	}
	admit("192.0.2.1", false, engine.AskForProof) // as one source has its share
	admit("::ffff:192.0.2.1", false, engine.AskForProof)
	admit("192.0.2.2", false, engine.Accept)
	admit("192.0.2.3", false, engine.AskForProof) // as there are many handshakes

	var places []engine.Place
	for range 3 {
		places = append(places, admit("2001:db8::1", true, engine.Accept))
	}
	admit("2001:db8::2", true, engine.Ignore) // the same /64
	for range 3 {
		places = append(places, admit("2001:db8:0:1::1", true, engine.Accept))
	}
	admit("192.0.2.9", true, engine.Ignore) // as there are many who proved their address

	for _, p := range places {
		g.HandshakeOver(p)
	}
	for range 5 {
		g.HandshakeOver(admit("2001:db8::3", true, engine.Accept))
	}
	admit("2001:db8::3", true, engine.Refuse) // as one source has enough connections
	for range 5 {
		g.HandshakeOver(admit("2001:db8:0:2::1", true, engine.Accept))
	}
	admit("192.0.2.77", true, engine.Refuse) // as there are enough

	want := Stats{Handshakes: 4, Conns: 20, AskedForProof: 3, HandshakesIgnored: 1, HandshakesOfSource: 1, ConnsRefused: 1, ConnsOfSource: 1}
	if got := g.Stats(); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
}

// TestUnproved: whoever did not prove his address takes nothing from those who did.
func TestUnproved(t *testing.T) {
	g := New(Limits{RetryAbove: 2, Handshakes: 1, HandshakesPerSource: 1, Conns: 100, ConnsPerSource: 100})
	for i := range 2 {
		if _, v := g.Admit(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), false); v != engine.Accept {
			t.Fatal(v)
		}
	}
	// The victim's address may be among those that were made up.
	if _, v := g.Admit(netip.AddrFrom4([4]byte{10, 0, 0, 1}), false); v != engine.AskForProof {
		t.Fatal(v)
	}
	if _, v := g.Admit(netip.AddrFrom4([4]byte{10, 0, 0, 1}), true); v != engine.Accept {
		t.Fatal(v)
	}
}

// TestNothingStays lets clients come and go at random: what is counted is what is
// there, and in the end nothing is remembered.
func TestNothingStays(t *testing.T) {
	type client struct {
		place engine.Place
		over  bool
	}
	r := rand.New(rand.NewPCG(1, 2))
	g := New(limits)
	var clients []client
	for range 20_000 {
		if r.IntN(2) == 0 {
			from := netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(10))})
			if p, v := g.Admit(from, r.IntN(2) == 0); v == engine.Accept {
				clients = append(clients, client{place: p})
			}
			continue
		}
		if len(clients) == 0 {
			continue
		}
		i := r.IntN(len(clients))
		if c := &clients[i]; !c.over {
			g.HandshakeOver(c.place)
			c.over = true
			continue
		}
		g.Released(clients[i].place)
		clients = append(clients[:i], clients[i+1:]...)
		if s := g.Stats(); s.Conns != len(clients) || s.Conns > limits.Conns || len(g.sources) > limits.Conns {
			t.Fatalf("%+v with %d clients and %d sources", s, len(clients), len(g.sources))
		}
	}
	for _, c := range clients {
		if !c.over {
			g.HandshakeOver(c.place)
		}
		g.Released(c.place)
	}
	if s := g.Stats(); s.Conns != 0 || s.Handshakes != 0 || len(g.bySrc) != 0 || len(g.free) != len(g.sources) {
		t.Errorf("%+v, %d sources are remembered", s, len(g.bySrc))
	}
}
