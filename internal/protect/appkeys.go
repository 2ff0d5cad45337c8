package protect

import (
	"errors"

	"github.com/godwit-quic/godwit/internal/wire"
)

// The limits on the use of a key (RFC 9001, Section 6.6, and Appendix B).
const (
	// ConfidentialityLimit is how many packets may be sealed with one AES-GCM
	// key. ChaCha20-Poly1305's is above the highest packet number.
	ConfidentialityLimit = 1 << 23

	// updateAfter is when NeedsUpdate asks for new keys: early enough for the
	// peer to answer at any speed.
	updateAfter = ConfidentialityLimit / 2

	// closePackets are left of ConfidentialityLimit for CONNECTION_CLOSE, which is
	// repeated ever less often, and so never as many times.
	closePackets = 128

	integrityLimitGCM    = 1 << 52
	integrityLimitChaCha = 1 << 36
)

// ErrUpdateTooEarly is the error of an update before the last was acknowledged.
var ErrUpdateTooEarly = errors.New("protect: the last key update is not acknowledged")

// AppKeys protects 1-RTT packets in both directions and updates the keys of
// both together (RFC 9001, Section 6). The zero value has no keys.
//
//	phase n ── Update ──────────────▶ phase n+1, unanswered ── Open ──▶ answered
//	phase n ── Open of phase n+1 ──▶ phase n+1, answered
//
// In an unanswered phase the peer still sends in the one before. Each step
// keeps the read key of the phase before for packets that come late.
type AppKeys struct {
	*appCiphers // nil at rest

	version           wire.Version
	suite             Suite
	canRead, canWrite bool

	read  readPhase
	write writePhase
	phase uint64 // of both

	openFailures uint64
}

// SetReadSecret installs the keys to open packets with.
func (k *AppKeys) SetReadSecret(v wire.Version, suite Suite, secret []byte) error {
	k.use(v, suite)
	k.read = readPhase{secrets: newSecrets(v, suite, secret), first: wire.NoPacket, highest: wire.NoPacket, last: wire.NoPacket}
	err := k.makeOpening()
	k.canRead = err == nil
	return err
}

// SetWriteSecret installs the keys to seal packets with.
func (k *AppKeys) SetWriteSecret(v wire.Version, suite Suite, secret []byte) error {
	k.use(v, suite)
	k.write = writePhase{secrets: newSecrets(v, suite, secret)}
	err := k.makeSealing()
	k.canWrite = err == nil
	return err
}

// use notes what TLS has chosen, for both directions.
func (k *AppKeys) use(v wire.Version, suite Suite) {
	k.version, k.suite = v, suite
	if k.appCiphers == nil {
		k.appCiphers = new(appCiphers)
	}
}

// CanRead reports whether SetReadSecret was called.
func (k *AppKeys) CanRead() bool { return k.canRead }

// CanWrite reports whether SetWriteSecret was called.
func (k *AppKeys) CanWrite() bool { return k.canWrite }

// KeyPhase returns the bit that the header of the next packet must carry.
func (k *AppKeys) KeyPhase() bool { return k.phase&1 != 0 }

// Phase returns the number of the key phase, the first of which is 0.
func (k *AppKeys) Phase() uint64 { return k.phase }

// Seal protects a packet as Sealer.Seal does. Packet numbers must rise.
func (k *AppKeys) Seal(pkt []byte, pnOffset, pnLen int, pn wire.PacketNumber) []byte {
	var t Train
	pkt = k.SealLater(&t, pkt, 0, pnOffset, pnLen, pn)
	k.SealTrain(&t, pkt)
	return pkt
}

// Open opens a packet as Opener.Open does, with the keys of the phase it was
// sealed in. updated says that it is the first of a new phase: the peer updated
// its keys or answered an update; the caller then lets three PTOs pass and
// calls DropPrevious. ErrKeyUpdate and ErrAEADLimit end the connection.
func (k *AppKeys) Open(pkt []byte, pnOffset int, largest wire.PacketNumber) (payload []byte, pn wire.PacketNumber, updated bool, err error) {
	if k.appCiphers == nil {
		k.wake()
	}
	truncated, pnLen := k.openingHeader.unprotect(pkt, pnOffset)
	if pnLen == 0 {
		return nil, wire.NoPacket, false, ErrDecrypt
	}
	pn = wire.DecodePacketNumber(largest, truncated, pnLen)
	phase := k.phaseOf(pkt[0], pn)
	payload, err = k.opening(phase).open(pkt, pnOffset+pnLen, pn, &k.openingHeader.mask)
	if err != nil {
		return nil, pn, false, k.openFailed()
	}
	if phase > k.phase && !k.follow() {
		return nil, pn, false, ErrKeyUpdate
	}
	updated, ok := k.opened(phase, pn)
	switch {
	case !ok:
		return nil, pn, false, ErrKeyUpdate
	case reservedSet(pkt[0]):
		return nil, pn, updated, ErrReservedBits
	}
	return payload, pn, updated, nil
}

// openFailed counts a packet that was not authentic against the integrity
// limit, which holds for all keys of a connection together.
func (k *AppKeys) openFailed() error {
	k.openFailures++
	limit := uint64(integrityLimitGCM)
	if k.suite == ChaCha20Poly1305 {
		limit = integrityLimitChaCha
	}
	if k.openFailures >= limit {
		return ErrAEADLimit
	}
	return ErrDecrypt
}

// follow moves to the phase that the peer began. It reports whether the peer
// may have: only after a packet sealed in this phase told it that its last
// update arrived (RFC 9001, Section 6.2).
func (k *AppKeys) follow() bool {
	if k.write.sealed == 0 {
		return false
	}
	k.advance()
	return true
}

// Update begins a key phase (RFC 9001, Section 6.1). The handshake must be
// confirmed, and three PTOs should have passed since the last update. It
// returns ErrUpdateTooEarly when no packet of this phase was acknowledged yet.
func (k *AppKeys) Update() error {
	if !k.CanRead() || !k.CanWrite() || !k.write.acked {
		return ErrUpdateTooEarly
	}
	if k.appCiphers == nil {
		k.wake()
	}
	k.advance()
	return nil
}

// OnAcked tells that the peer acknowledged packet pn.
func (k *AppKeys) OnAcked(pn wire.PacketNumber) { k.write.onAcked(pn) }

// limited reports whether ConfidentialityLimit holds.
func (k *AppKeys) limited() bool { return k.suite != ChaCha20Poly1305 }

// NeedsUpdate reports whether Update should be called as soon as it may be,
// because the write key has been used often.
func (k *AppKeys) NeedsUpdate() bool { return k.limited() && k.write.sealed >= updateAfter }

// Exhausted reports whether no more packets may be sealed with the write key but
// those that close the connection, with AEAD_LIMIT_REACHED.
func (k *AppKeys) Exhausted() bool {
	return k.limited() && k.write.sealed >= ConfidentialityLimit-closePackets
}

// HasPrevious reports whether the read key of the phase before is still kept.
func (k *AppKeys) HasPrevious() bool { return k.appCiphers != nil && k.previous.valid() }

// DropPrevious discards the read key of the phase before, unless the peer has
// not answered an update yet and still needs it (RFC 9001, Section 6.5).
func (k *AppKeys) DropPrevious() {
	if k.HasPrevious() && k.read.first != wire.NoPacket {
		k.previous = packetKey{}
	}
}

// Rest gives back the memory of ciphers, some kilobytes, until the next packet
// is sealed or opened. It does nothing while there is a key of the phase before,
// or keys of one direction only.
func (k *AppKeys) Rest() {
	if k.CanRead() && k.CanWrite() && !k.HasPrevious() {
		k.appCiphers = nil
	}
}
