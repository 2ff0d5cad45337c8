package path

import (
	"net/netip"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

func addrs(i byte, port uint16) Addrs {
	return Addrs{Remote: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, i}), port)}
}

// add puts a path into the set, and makes it the current one.
func add(s *Set, a Addrs, validated bool) *Path {
	p := New(a, s.EstimatesFor(start, a))
	if validated {
		p.Validate()
	}
	if s.Current != nil {
		s.Add(p)
	}
	s.Use(start, p)
	return p
}

// The paths are bounded, and those that were never validated go first, but for the
// current one and the one to go back to.
func TestSetForgets(t *testing.T) {
	var s Set
	first := add(&s, addrs(1, 1), true)
	for i := range byte(100) {
		add(&s, addrs(10+i, 1), false)
	}
	n := 0
	for range s.All() {
		n++
	}
	if n != Max || s.Fallback() != first || s.Current.Addrs != addrs(109, 1) || s.Find(addrs(20, 1)) != nil {
		t.Fatalf("%d paths, back to %v, current %v", n, s.Fallback(), s.Current.Addrs)
	}
	second := add(&s, addrs(2, 1), true)
	if s.Fallback() != nil {
		t.Fatal("there is a path to go back to from a validated one")
	}
	for i := range byte(100) {
		s.Add(New(addrs(10+i, 2), s.EstimatesFor(start, addrs(10+i, 2))))
	}
	if s.Find(first.Addrs) != first || s.Current != second {
		t.Fatal("a validated path was forgotten for others")
	}
}

// Estimates are shared by paths that differ in the peer's port, and each is met once.
func TestSetEstimates(t *testing.T) {
	var s Set
	a, b, c := add(&s, addrs(1, 1), true), add(&s, addrs(1, 2), true), add(&s, addrs(2, 1), true)
	if a.Estimates != b.Estimates || a.Estimates == c.Estimates || s.Estimates(c.ID) != c.Estimates {
		t.Fatal("estimates of other hosts are shared, or of the same are not")
	}
	n := 0
	for range s.AllEstimates() {
		n++
	}
	if n != 2 {
		t.Fatalf("%d estimates", n)
	}
	s.Remove(a)
	if s.Estimates(b.ID) != b.Estimates {
		t.Fatal("estimates went with one of the paths that share them")
	}
	s.Remove(b)
	if s.Estimates(b.ID) != nil {
		t.Fatal("estimates outlive their paths")
	}
}

// What was known of a path long ago holds no more; of the current one it does.
func TestSetStale(t *testing.T) {
	var s Set
	old, now := add(&s, addrs(1, 1), true), add(&s, addrs(2, 1), true)
	if s.Stale(start.Add(maxAge), old) || !s.Stale(start.Add(maxAge+1), old) || s.Stale(start.Add(time.Hour), now) {
		t.Fatal("stale too soon, or never")
	}
}

// What was learned long ago is no guide for a new path to the same host, nor for one
// that was tried meanwhile and shares it; what the current path teaches always is.
func TestSetStaleEstimates(t *testing.T) {
	var s Set
	old := add(&s, addrs(1, 1), true)
	try := func(at monotime.Time, port uint16) *Path {
		p := New(addrs(1, port), s.EstimatesFor(at, addrs(1, port)))
		s.Add(p)
		return p
	}
	before := try(start, 2)
	now := add(&s, addrs(2, 1), true)
	after := try(start.Add(maxAge), 3)
	for _, p := range []*Path{before, after} {
		if p.Estimates != old.Estimates || s.Stale(start.Add(maxAge), p) || !s.Stale(start.Add(maxAge+1), p) {
			t.Errorf("tried from port %d: other estimates, or forgotten too soon or late", p.Remote.Port())
		}
	}
	s.Remove(old)
	if e := s.EstimatesFor(start.Add(maxAge+1), old.Addrs); e == old.Estimates || e.ID == old.ID {
		t.Error("a new path takes estimates that hold no more")
	}
	if s.EstimatesFor(start.Add(time.Hour), addrs(2, 2)) != now.Estimates {
		t.Error("estimates of the current path are forgotten")
	}
}
