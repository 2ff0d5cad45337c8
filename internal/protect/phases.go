package protect

import (
	"bytes"

	"github.com/godwit-quic/godwit/internal/wire"
)

// secretChain derives the packet keys of one key phase after the other from the
// secret of the first. The header key stays (RFC 9001, Section 6.1).
type secretChain struct {
	version wire.Version
	suite   Suite
	secret  []byte // of the phase that next returned last
}

// next returns the key of the phase after the one returned last.
func (c *secretChain) next() packetKey {
	var sum hashValue
	c.secret = bytes.Clone(c.suite.derive(&sum, c.secret, labelsOf(c.version).ku, len(c.secret)))
	key, err := newPacketKey(c.version, c.suite, c.secret)
	if err != nil {
		panic("protect: key update: " + err.Error()) // the suite has worked before
	}
	return key
}

// startChain returns the keys of the first phase and the chain to those that
// follow.
func startChain(v wire.Version, s Suite, secret []byte) (packetKey, headerKey, secretChain, error) {
	first, err := NewSealer(v, s, secret)
	if err != nil {
		return packetKey{}, headerKey{}, secretChain{}, err
	}
	chain := secretChain{version: v, suite: s, secret: bytes.Clone(secret)}
	return first.packet, first.header, chain, nil
}

// remake makes the AEAD of a key again, from the secret of its phase.
func (c *secretChain) remake(k *packetKey, secret []byte) {
	var sum hashValue
	aead, err := newAEAD(c.suite, c.suite.derive(&sum, secret, labelsOf(c.version).key, c.suite.keyLen()))
	if err != nil {
		panic("protect: key made again: " + err.Error()) // the suite has worked before
	}
	k.aead = aead
}

// readKeys opens packets of three phases: the current one, the one before, and
// the one after. The key of the latter is made ahead, so that the time a packet
// takes does not tell whether it begins a phase (RFC 9001, Section 6.3).
type readKeys struct {
	header                  headerKey
	previous, current, next packetKey
	secret                  []byte      // of current
	chain                   secretChain // which has that of next
	phase                   uint64      // of current

	// The lowest and the highest packet number opened in the current phase,
	// NoPacket before there is one.
	first, highest wire.PacketNumber

	// last is the highest packet number opened in the phases before.
	last wire.PacketNumber
}

func (r *readKeys) init(v wire.Version, s Suite, secret []byte) (err error) {
	r.current, r.header, r.chain, err = startChain(v, s, secret)
	if err != nil {
		return err
	}
	r.secret = r.chain.secret
	r.next = r.chain.next()
	r.first, r.highest, r.last = wire.NoPacket, wire.NoPacket, wire.NoPacket
	return nil
}

// phaseOf tells from the phase bit and the number of a packet in which phase it
// was sealed. The bit of the phases before and after the current one is the
// same; packets of the one before have lower numbers than all of this one
// (RFC 9001, Section 6.4).
func (r *readKeys) phaseOf(first byte, pn wire.PacketNumber) uint64 {
	bit := uint64(0)
	if first&phaseBit != 0 {
		bit = 1
	}
	switch {
	case bit == r.phase&1:
		return r.phase
	case r.previous.aead != nil && (r.first == wire.NoPacket || pn < r.first):
		return r.phase - 1
	}
	return r.phase + 1
}

func (r *readKeys) key(phase uint64) *packetKey {
	switch {
	case phase < r.phase:
		return &r.previous
	case phase > r.phase:
		return &r.next
	}
	return &r.current
}

// advance makes the next phase the current one.
func (r *readKeys) advance() {
	r.previous, r.current, r.secret = r.current, r.next, r.chain.secret
	r.next = r.chain.next()
	r.phase++
	r.last = max(r.last, r.highest)
	r.first, r.highest = wire.NoPacket, wire.NoPacket
}

// opened notes an authentic packet. It reports whether the packet is the first
// of its phase, the very first phase aside, and false for ok when a packet with
// a higher number was sealed in a phase before (RFC 9001, Section 6.4).
func (r *readKeys) opened(phase uint64, pn wire.PacketNumber) (updated, ok bool) {
	if phase < r.phase {
		r.last = max(r.last, pn)
		return false, true
	}
	if pn < r.last {
		return false, false
	}
	updated = r.first == wire.NoPacket && r.phase > 0
	if r.first == wire.NoPacket || pn < r.first {
		r.first = pn
	}
	r.highest = max(r.highest, pn)
	return updated, true
}

// writeKeys seals packets of the current phase.
type writeKeys struct {
	header  headerKey
	current packetKey
	chain   secretChain
	phase   uint64
	limited bool // by ConfidentialityLimit

	sealed uint64            // packets of this phase
	first  wire.PacketNumber // of this phase
	acked  bool              // one of them was acknowledged
}

func (w *writeKeys) init(v wire.Version, s Suite, secret []byte) (err error) {
	w.current, w.header, w.chain, err = startChain(v, s, secret)
	w.limited = s != ChaCha20Poly1305
	return err
}

func (w *writeKeys) seal(pkt []byte, pnOffset, pnLen int, pn wire.PacketNumber) []byte {
	if w.sealed == 0 {
		w.first = pn
	}
	w.sealed++
	pkt = w.current.seal(pkt, pnOffset+pnLen, pn, &w.header.mask)
	w.header.protect(pkt, pnOffset, pnLen)
	return pkt
}

func (w *writeKeys) onAcked(pn wire.PacketNumber) {
	if w.sealed > 0 && pn >= w.first {
		w.acked = true
	}
}

func (w *writeKeys) advance() {
	w.current = w.chain.next()
	w.phase++
	w.sealed, w.acked = 0, false
}
