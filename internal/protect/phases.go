package protect

import "github.com/godwit-quic/godwit/internal/wire"

// readPhase is the key phase that packets are opened in.
type readPhase struct {
	secrets

	// The lowest and the highest packet number opened in the current phase,
	// NoPacket before there is one.
	first, highest wire.PacketNumber

	// last is the highest packet number opened in the phases before.
	last wire.PacketNumber
}

// begin begins the phase that has a secret.
func (r *readPhase) begin(secret hashValue) {
	r.phase = secret
	r.last = max(r.last, r.highest)
	r.first, r.highest = wire.NoPacket, wire.NoPacket
}

// phaseOf tells from the phase bit and the number of a packet in which phase it
// was sealed. The bit of the phases before and after the current one is the
// same; packets of the one before have lower numbers than all of this one
// (RFC 9001, Section 6.4).
func (k *AppKeys) phaseOf(first byte, pn wire.PacketNumber) uint64 {
	switch {
	case (first&phaseBit != 0) == k.KeyPhase():
		return k.phase
	case k.HasPrevious() && (k.read.first == wire.NoPacket || pn < k.read.first):
		return k.phase - 1
	}
	return k.phase + 1
}

// opened notes an authentic packet. It reports whether the packet is the first
// of its phase, the very first phase aside, and false for ok when a packet with
// a higher number was sealed in a phase before (RFC 9001, Section 6.4).
func (k *AppKeys) opened(phase uint64, pn wire.PacketNumber) (updated, ok bool) {
	r := &k.read
	if phase < k.phase {
		r.last = max(r.last, pn)
		return false, true
	}
	if pn < r.last {
		return false, false
	}
	updated = r.first == wire.NoPacket && k.phase > 0
	if r.first == wire.NoPacket || pn < r.first {
		r.first = pn
	}
	r.highest = max(r.highest, pn)
	return updated, true
}

// writePhase is the key phase that packets are sealed in.
type writePhase struct {
	secrets

	acked  bool              // one of its packets was acknowledged
	sealed uint64            // packets
	first  wire.PacketNumber // once one was sealed
}

// begin begins the phase that has a secret.
func (w *writePhase) begin(secret hashValue) {
	w.phase = secret
	w.sealed, w.acked = 0, false
}

// count notes that a packet is sealed.
func (w *writePhase) count(pn wire.PacketNumber) {
	if w.sealed == 0 {
		w.first = pn
	}
	w.sealed++
}

func (w *writePhase) onAcked(pn wire.PacketNumber) {
	if w.sealed > 0 && pn >= w.first {
		w.acked = true
	}
}
