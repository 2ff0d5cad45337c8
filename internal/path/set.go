package path

import (
	"iter"
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
	Current *Path // where packets go; the first of the list

	made  recovery.PathID
	first Estimates // of the first path, as most connections have no other
}

// All are the paths, the current one first, and then those used last.
func (s *Set) All() iter.Seq[*Path] {
	return func(yield func(*Path) bool) {
		for p := s.Current; p != nil; {
			next := p.next
			if !yield(p) {
				return
			}
			p = next
		}
	}
}

// Find returns the path between a pair of addresses, nil when there is none.
func (s *Set) Find(a Addrs) *Path {
	for p := s.Current; p != nil; p = p.next {
		if p.Addrs == a {
			return p
		}
	}
	return nil
}

// Estimates returns what was learned on a path, nil when it is forgotten.
func (s *Set) Estimates(id recovery.PathID) *Estimates {
	for p := s.Current; p != nil; p = p.next {
		if p.ID == id {
			return p.Estimates
		}
	}
	return nil
}

// AllEstimates are what was learned on each path, each once though paths share it.
func (s *Set) AllEstimates() iter.Seq[*Estimates] {
	return func(yield func(*Estimates) bool) {
		for p := s.Current; p != nil; p = p.next {
			if s.owner(p.Estimates) == p && !yield(p.Estimates) {
				return
			}
		}
	}
}

// owner returns the first path that has these estimates.
func (s *Set) owner(e *Estimates) *Path {
	p := s.Current
	for p.Estimates != e {
		p = p.next
	}
	return p
}

// EstimatesFor returns the estimates for a new path: those of a path that differs in
// the peer's port alone and is not stale, or new ones that know nothing.
func (s *Set) EstimatesFor(now monotime.Time, a Addrs) *Estimates {
	for p := s.Current; p != nil; p = p.next {
		if p.Addrs.sameHosts(&a) && !s.Stale(now, p) {
			return p.Estimates
		}
	}
	e := &s.first
	if s.made > 0 {
		e = new(Estimates)
	}
	s.made++
	e.ID = s.made
	return e
}

// Add keeps a path in mind, and returns the one that it replaces if there are too many.
func (s *Set) Add(p *Path) (forgotten *Path) {
	p.lastUse = s.lastUse(p.Estimates)
	n := 0
	for range s.All() {
		n++
	}
	if n == Max {
		forgotten = s.leastUseful()
		s.Remove(forgotten)
	}
	p.next, s.Current.next = s.Current.next, p
	return forgotten
}

// lastUse returns when a path with these estimates was used last, zero for now or never.
func (s *Set) lastUse(e *Estimates) (at monotime.Time) {
	if e == s.Current.Estimates {
		return 0
	}
	for p := s.Current.next; p != nil; p = p.next {
		if p.Estimates == e {
			at = max(at, p.lastUse)
		}
	}
	return at
}

// leastUseful returns the path to forget: the last one that was never validated, or
// else the last one.
func (s *Set) leastUseful() (worst *Path) {
	for p := s.Current.next; p != nil; p = p.next {
		if !p.fallback && (worst == nil || worst.validated || !p.validated) {
			worst = p
		}
	}
	return worst
}

// Remove forgets a path, which is not the current one.
func (s *Set) Remove(p *Path) {
	for q := s.Current; q != nil; q = q.next {
		if q.next == p {
			q.next, p.next, p.fallback = p.next, nil, false
			return
		}
	}
}

// Use makes a path of the set, or the first one, the current one. While it is not
// validated, the last one that was is kept to go back to.
func (s *Set) Use(now monotime.Time, p *Path) {
	old := s.Current
	if old != nil && old.validated {
		s.ForgetFallback()
		old.fallback = true
	}
	if old != nil && old != p {
		old.lastUse = now
		for q := old.next; q != nil; q = q.next {
			if q.Estimates == old.Estimates && q.lastUse.IsZero() {
				q.lastUse = now // was tried alone: what is known of it is as old
			}
		}
		s.Remove(p)
		p.next = old
	}
	if s.Current = p; p.validated {
		s.ForgetFallback()
	}
}

// Fallback returns a validated path to go back to, until the current one is validated;
// nil for none.
func (s *Set) Fallback() *Path {
	for p := s.Current; p != nil; p = p.next {
		if p.fallback {
			return p
		}
	}
	return nil
}

// ForgetFallback ends that there is a path to go back to.
func (s *Set) ForgetFallback() {
	for p := s.Current; p != nil; p = p.next {
		p.fallback = false
	}
}

// Used reports whether a path is in use, or was before another took over.
func (s *Set) Used(p *Path) bool { return p == s.Current || !p.lastUse.IsZero() }

// Stale reports whether a path was used so long ago that nothing known of it holds.
func (s *Set) Stale(now monotime.Time, p *Path) bool {
	return p != s.Current && !p.fallback && !p.lastUse.IsZero() && now.Sub(p.lastUse) > maxAge
}

// Idle reports whether a path is only kept in mind.
func (s *Set) Idle(p *Path) bool {
	return p != s.Current && !p.fallback && !p.Challenging()
}

// ChallengeDue returns a path on which a PATH_CHALLENGE must be sent, and its data, the
// current path first; nil for none.
func (s *Set) ChallengeDue() (*Path, wire.PathData) {
	for p := s.Current; p != nil; p = p.next {
		if data, due := p.ChallengeDue(); due {
			return p, data
		}
	}
	return nil, wire.PathData{}
}

// Deadline returns when the first challenge of any path is due again, zero for never.
func (s *Set) Deadline() (at monotime.Time) {
	for p := s.Current; p != nil; p = p.next {
		at = monotime.Earliest(at, p.Deadline())
	}
	return at
}
