package engine

import "testing"

// search runs path MTU discovery on a path that carries datagrams of up to
// size bytes, and returns what it found and how many probes that took.
func search(m *mtuState, size int32) (current int32, probes int) {
	m.wanted = true
	for m.due() && probes < 1000 {
		probes++
		m.flying = true
		m.settle(m.target, fate(m.target <= size))
	}
	return m.current, probes
}

// Whatever a path carries is found within the search's step, in few probes,
// and never more than that.
func TestMTUSearch(t *testing.T) {
	for _, limit := range []int32{1200, 1250, 1452, 1500, 9000, maxUDPPayload} {
		for size := int32(minDatagramSize); size <= min(limit+50, 9100); size += 1 + size%7 {
			var m mtuState
			m.init(limit)
			m.start(maxUDPPayload)
			current, probes := search(&m, size)
			if best := min(size, limit); current > best || best-current > mtuStep {
				t.Fatalf("limit %d, path %d: found %d", limit, size, current)
			}
			if probes > 3*17 {
				t.Fatalf("limit %d, path %d: %d probes", limit, size, probes)
			}
		}
	}
}

// The peer's limit counts (RFC 9000, Section 18.2).
func TestMTUPeerLimit(t *testing.T) {
	var m mtuState
	m.init(9000)
	m.start(1300)
	if current, _ := search(&m, 9000); current != 1300 {
		t.Fatalf("found %d", current)
	}
	m.init(9000)
	m.start(1200)
	if m.due() {
		t.Fatal("probes a peer that takes no more")
	}
}

// Nothing is tried before a datagram of data was full.
func TestMTUNotWanted(t *testing.T) {
	var m mtuState
	m.init(1452)
	m.start(maxUDPPayload)
	if m.due() {
		t.Fatal("probes before anything is gained by it")
	}
	m.wanted = true
	if !m.due() {
		t.Fatal("does not probe when a datagram was full")
	}
}

// One lost probe proves nothing, three do.
func TestMTULosses(t *testing.T) {
	var m mtuState
	m.init(1452)
	m.start(maxUDPPayload)
	m.wanted = true
	for range maxMTUProbes - 1 {
		m.flying = true
		m.settle(1452, lost)
		if m.target != 1452 || !m.due() {
			t.Fatal("gave up early")
		}
	}
	m.flying = true
	m.settle(1300, lost) // an old probe of another size
	if !m.flying || m.target != 1452 {
		t.Fatal("an old probe counts")
	}
	m.settle(1452, lost)
	if m.target >= 1452 || m.target <= m.current {
		t.Fatalf("tries %d next", m.target)
	}
}

// A path that shrank is used at the smallest size, and is not tried again.
func TestMTUBlackHole(t *testing.T) {
	var m mtuState
	m.init(1452)
	m.start(maxUDPPayload)
	search(&m, 1452)
	m.blackHole()
	m.settle(1452, acked) // a probe that was still flying
	if m.current != minDatagramSize || m.due() {
		t.Fatalf("size %d, probes %v", m.current, m.due())
	}
}
