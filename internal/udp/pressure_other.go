//go:build !linux

package udp

// Pressure is not told on this system.
func (s *Socket) Pressure() (queued int, lost uint64, ok bool) { return 0, 0, false }
