package path

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

const start = monotime.Time(time.Hour)

// newMTU returns the state of a path with these limits of both sides, on which a larger
// size would be of use.
func newMTU(ceiling, peerMax int) *MTU {
	m := new(MTU)
	m.Init(ceiling)
	m.Start(peerMax)
	m.Want()
	return m
}

// probe sends one probe on a path that carries datagrams of up to size bytes.
func (m *MTU) probe(now monotime.Time, size int) {
	target := m.Due(now)
	m.Sent()
	if target <= size {
		m.Acked(now, target)
	} else {
		m.ProbeLost(now, target)
	}
}

// search runs path MTU discovery on a path that carries datagrams of up to size bytes,
// and returns what it found and how many probes that took.
func search(m *MTU, now monotime.Time, size int) (found, probes int) {
	for m.Due(now) > 0 && probes < 1000 {
		probes++
		m.probe(now, size)
	}
	return m.Size(), probes
}

// maxUDPPayload is the largest there is (RFC 9000, Section 18.2).
const maxUDPPayload = 65527

// Whatever a path carries is found within the search's step, in few probes, and never
// more than that.
func TestMTUSearch(t *testing.T) {
	for _, limit := range []int{1200, 1250, 1452, 1500, 9000, maxUDPPayload} {
		for size := BaseSize; size <= min(limit+50, 9100); size += 1 + size%7 {
			m := newMTU(limit, maxUDPPayload)
			found, probes := search(m, start, size)
			if best := min(size, limit); found > best || best-found > mtuStep {
				t.Fatalf("limit %d, path %d: found %d", limit, size, found)
			}
			if probes > 3*17 {
				t.Fatalf("limit %d, path %d: %d probes", limit, size, probes)
			}
		}
	}
}

// On a path of Ethernet's size that is found soon, however large the limit.
func TestMTUSearchTriesEthernet(t *testing.T) {
	for _, limit := range []int{1500, 9000, maxUDPPayload} {
		m := newMTU(limit, maxUDPPayload)
		probes := 0
		for ; m.Size() < ethernetSize; probes++ {
			m.probe(start, ethernetSize)
		}
		if probes != maxMTUProbes+1 {
			t.Errorf("limit %d: found after %d probes", limit, probes)
		}
	}
}

// The peer's limit counts (RFC 9000, Section 18.2).
func TestMTUPeerLimit(t *testing.T) {
	if found, _ := search(newMTU(9000, 1300), start, 9000); found != 1300 {
		t.Fatalf("found %d", found)
	}
	if newMTU(9000, 1200).Due(start) > 0 {
		t.Fatal("probes a peer that takes no more")
	}
}

// Nothing is tried before a datagram of data was full.
func TestMTUNotWanted(t *testing.T) {
	var m MTU
	m.Init(1452)
	m.Start(maxUDPPayload)
	if m.Due(start) > 0 {
		t.Fatal("probes before anything is gained by it")
	}
	m.Want()
	if m.Due(start) == 0 {
		t.Fatal("does not probe when a datagram was full")
	}
}

// One lost probe proves nothing, three do.
func TestMTULosses(t *testing.T) {
	m := newMTU(1452, maxUDPPayload)
	for range maxMTUProbes - 1 {
		m.Sent()
		m.ProbeLost(start, 1452)
		if m.Due(start) != 1452 {
			t.Fatal("gave up early")
		}
	}
	m.Sent()
	m.ProbeLost(start, 1300) // an old probe of another size
	if !m.flying || m.target != 1452 {
		t.Fatal("an old probe counts")
	}
	m.ProbeLost(start, 1452)
	if next := m.Due(start); next >= 1452 || next <= m.Size() {
		t.Fatalf("tries %d next", next)
	}
}

// A path that shrank is used at the smallest size, and is tried again when the raise
// timer has run out (RFC 8899, Sections 4.3 and 5.1.1).
func TestMTUBlackHole(t *testing.T) {
	m := newMTU(1452, maxUDPPayload)
	search(m, start, 1452)
	if !m.BlackHole(start) || m.BlackHole(start) {
		t.Fatal("falls back to the smallest size once")
	}
	m.Acked(start, 1452) // a probe that was still flying
	if m.Size() != BaseSize || m.Due(start.Add(mtuRaiseTime-1)) > 0 {
		t.Fatalf("size %d, probes %d", m.Size(), m.Due(start))
	}
	if found, _ := search(m, start.Add(mtuRaiseTime), 1452); found != 1452 {
		t.Fatalf("found %d later", found)
	}
}

// A path that has grown is noticed, but not while the size is the largest wanted, and
// not at once.
func TestMTURaise(t *testing.T) {
	m := newMTU(9000, maxUDPPayload)
	search(m, start, 1452)
	if m.Due(start.Add(mtuRaiseTime-1)) > 0 {
		t.Fatal("tries again too soon")
	}
	if found, _ := search(m, start.Add(mtuRaiseTime), 9000); found != 9000 {
		t.Fatalf("found %d", found)
	}
	if m.Due(start.Add(10*mtuRaiseTime)) > 0 {
		t.Fatal("tries more than is wanted")
	}
}
