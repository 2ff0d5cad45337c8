package http3

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/admission"
)

// sources are where the connections of one event loop come from.
type sources struct {
	mu   sync.Mutex
	list map[admission.Source]*clientSource
}

// clientSource counts the handlers of the connections that one source has on one event
// loop: one number for all loops would be a cache line for which their processors wait.
type clientSource struct {
	id      admission.Source
	running atomic.Int64
	conns   atomic.Int64 // changed with the lock held
}

// join counts a connection, which stays with the source when its client moves.
func (s *sources) join(remote net.Addr) *clientSource {
	var id admission.Source
	if udp, ok := remote.(*net.UDPAddr); ok {
		id = admission.SourceOf(udp.AddrPort().Addr())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	src := s.list[id]
	if src == nil {
		if s.list == nil {
			s.list = make(map[admission.Source]*clientSource)
		}
		src = &clientSource{id: id}
		s.list[id] = src
	}
	src.conns.Add(1)
	return src
}

// leave counts a connection as ended.
func (s *sources) leave(src *clientSource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	src.conns.Add(-1)
	s.tidy(src)
}

// count counts n more handlers of a source, or less. Any goroutine may call it.
func (s *sources) count(src *clientSource, n int64) {
	if src.running.Add(n) == 0 && src.conns.Load() == 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tidy(src)
	}
}

// tidy forgets a source of which nothing is left: not while handlers run whose
// connection has ended, or closing connections would free what they keep busy. The lock
// is held.
func (s *sources) tidy(src *clientSource) {
	if src.conns.Load() == 0 && src.running.Load() == 0 && s.list[src.id] == src {
		delete(s.list, src.id)
	}
}

// running returns how many handlers a source has.
func (s *sources) running(id admission.Source) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if src := s.list[id]; src != nil {
		return src.running.Load()
	}
	return 0
}

// sourceRunning returns how many handlers a source has, on all event loops.
func (s *Server) sourceRunning(id admission.Source) (n int64) {
	if loops := s.workers.Load(); loops != nil {
		for _, w := range *loops {
			n += w.sources.running(id)
		}
	}
	return n
}
