package path

import (
	"iter"
	"slices"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Max is how many paths are kept: the current one, the one to go back to, and two that
// were used before, or that the peer tries.
const Max = 4

// maxAge is how long after its last use a path is still what it was: its address counts
// as recently validated (RFC 9000, Section 9.3), and its estimates hold.
const maxAge = 10 * time.Minute

// Set is the paths of a connection.
type Set struct {
	Current *Path // where packets go

	list  [Max]*Path // the first count, Current among them: so few that there is no index
	made  recovery.PathID
	count uint8
}

// All returns the paths.
func (s *Set) All() []*Path { return s.list[:s.count] }

// Find returns the path between a pair of addresses, nil when there is none.
func (s *Set) Find(a Addrs) *Path {
	for _, p := range s.All() {
		if p.Addrs == a {
			return p
		}
	}
	return nil
}

// Estimates returns what was learned on a path, nil when it is forgotten.
func (s *Set) Estimates(id recovery.PathID) *Estimates {
	for _, p := range s.All() {
		if p.ID == id {
			return p.Estimates
		}
	}
	return nil
}

// AllEstimates are what was learned on each path, each once though paths share it.
func (s *Set) AllEstimates() iter.Seq[*Estimates] {
	return func(yield func(*Estimates) bool) {
		for i, p := range s.All() {
			if s.first(p.Estimates) == i && !yield(p.Estimates) {
				return
			}
		}
	}
}

// first returns the place of the first path that has these estimates.
func (s *Set) first(e *Estimates) int {
	for i, p := range s.All() {
		if p.Estimates == e {
			return i
		}
	}
	return -1
}

// EstimatesFor returns the estimates for a new path: those of a path that differs in
// the peer's port alone, or new ones that know nothing.
func (s *Set) EstimatesFor(a Addrs) *Estimates {
	for _, p := range s.All() {
		if p.Addrs.sameHosts(&a) {
			return p.Estimates
		}
	}
	s.made++
	e := new(Estimates)
	e.ID = s.made
	return e
}

// Add keeps a path in mind, and returns the one that it replaces if there are too many.
func (s *Set) Add(p *Path) (forgotten *Path) {
	if s.count == Max {
		forgotten = s.leastUseful()
		s.Remove(forgotten)
	}
	s.list[s.count] = p
	s.count++
	return forgotten
}

// leastUseful returns the path to forget: first those that were never validated, then
// the one whose use is longest ago.
func (s *Set) leastUseful() (worst *Path) {
	for _, p := range s.All() {
		switch {
		case p == s.Current || p.fallback:
		case worst == nil, worst.validated && !p.validated,
			worst.validated == p.validated && p.lastUse < worst.lastUse:
			worst = p
		}
	}
	return worst
}

// Remove forgets a path, which is not the current one.
func (s *Set) Remove(p *Path) {
	i := slices.Index(s.All(), p)
	if i < 0 {
		return
	}
	copy(s.list[i:], s.list[i+1:])
	s.count--
	s.list[s.count] = nil
}

// Use makes a path of the set, or a new one, the current one. While it is not validated,
// the last one that was is kept to go back to.
func (s *Set) Use(now monotime.Time, p *Path) {
	if s.count == 0 {
		s.Add(p)
	}
	if old := s.Current; old != nil {
		old.lastUse = now
		if old.validated {
			s.ForgetFallback()
			old.fallback = true
		}
	}
	if s.Current = p; p.validated {
		s.ForgetFallback()
	}
}

// Fallback returns a validated path to go back to, until the current one is validated;
// nil for none.
func (s *Set) Fallback() *Path {
	for _, p := range s.All() {
		if p.fallback {
			return p
		}
	}
	return nil
}

// ForgetFallback ends that there is a path to go back to.
func (s *Set) ForgetFallback() {
	for _, p := range s.All() {
		p.fallback = false
	}
}

// Stale reports whether a path was used so long ago that nothing known of it holds.
func (s *Set) Stale(now monotime.Time, p *Path) bool {
	return p != s.Current && !p.fallback && !p.lastUse.IsZero() && now.Sub(p.lastUse) > maxAge
}

// Idle reports whether a path is only kept in mind.
func (s *Set) Idle(p *Path) bool {
	return p != s.Current && !p.fallback && !p.Challenging()
}

// ChallengeDue returns a path on which a PATH_CHALLENGE must be sent, and its data; nil
// for none. The current path comes first.
func (s *Set) ChallengeDue() (*Path, wire.PathData) {
	if data, due := s.Current.ChallengeDue(); due {
		return s.Current, data
	}
	for _, p := range s.All() {
		if data, due := p.ChallengeDue(); due {
			return p, data
		}
	}
	return nil, wire.PathData{}
}

// Deadline returns when the first challenge of any path is due again, zero for never.
func (s *Set) Deadline() (at monotime.Time) {
	for _, p := range s.All() {
		at = monotime.Earliest(at, p.Deadline())
	}
	return at
}
