//go:build !linux

package udp

import "net/netip"

// WatchRefusals does nothing on this system, which tells of no refusals.
func (s *Socket) WatchRefusals(bool) error { return nil }

// Refusals returns none on this system.
func (s *Socket) Refusals() []netip.AddrPort { return nil }
