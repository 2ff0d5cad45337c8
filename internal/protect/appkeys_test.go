package protect

import (
	"errors"
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// peer is one end of a connection that sends 1-RTT packets.
type peer struct {
	t    *testing.T
	keys AppKeys
	next wire.PacketNumber // to send
	seen wire.PacketNumber // largest opened
}

// newPeers returns two ends with matching keys.
func newPeers(t *testing.T, s Suite) (a, b *peer) {
	t.Helper()
	a = &peer{t: t, seen: wire.NoPacket}
	b = &peer{t: t, seen: wire.NoPacket}
	for _, err := range []error{
		a.keys.SetWriteSecret(wire.Version1, s, testSecret(s, 1)),
		b.keys.SetReadSecret(wire.Version1, s, testSecret(s, 1)),
		b.keys.SetWriteSecret(wire.Version1, s, testSecret(s, 2)),
		a.keys.SetReadSecret(wire.Version1, s, testSecret(s, 2)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return a, b
}

func (p *peer) seal() []byte {
	pn := p.next
	p.next++
	pkt, at := shortPacket(pn, 4, p.keys.KeyPhase(), fmt.Appendf(nil, "packet %d", pn))
	return p.keys.Seal(pkt, at, 4, pn)
}

func (p *peer) open(pkt []byte) (updated bool, err error) {
	payload, pn, updated, err := p.keys.Open(pkt, 9, p.seen)
	if err == nil && string(payload) != fmt.Sprintf("packet %d", pn) {
		p.t.Errorf("packet %d opens to %q", pn, payload)
	}
	if err == nil {
		p.seen = max(p.seen, pn)
	}
	return updated, err
}

// wantOpen opens a packet and checks what comes of it.
func (p *peer) wantOpen(what string, pkt []byte, wantUpdated bool, wantErr error) {
	p.t.Helper()
	if updated, err := p.open(pkt); updated != wantUpdated || !errors.Is(err, wantErr) {
		p.t.Errorf("%s: updated = %v, %v; want %v, %v", what, updated, err, wantUpdated, wantErr)
	}
}

// exchange lets both ends send a packet that the other opens and acknowledges.
func exchange(a, b *peer) {
	a.t.Helper()
	b.wantOpen("packet", a.seal(), false, nil)
	a.keys.OnAcked(a.next - 1)
	a.wantOpen("packet", b.seal(), false, nil)
	b.keys.OnAcked(b.next - 1)
}

func TestKeyUpdate(t *testing.T) {
	for _, s := range suites {
		a, b := newPeers(t, s)
		exchange(a, b)
		for i := range 5 {
			late := b.seal()
			if err := a.keys.Update(); err != nil {
				t.Fatalf("%v: update %d: %v", s, i, err)
			}
			if want := i%2 == 0; a.keys.KeyPhase() != want {
				t.Errorf("%v: update %d: KeyPhase() = %v, want %v", s, i, a.keys.KeyPhase(), want)
			}
			a.wantOpen("packet that crossed the update", late, false, nil)
			if err := a.keys.Update(); !errors.Is(err, ErrUpdateTooEarly) {
				t.Errorf("%v: second update: %v, want ErrUpdateTooEarly", s, err)
			}

			old := b.seal()
			b.wantOpen("first of the new phase", a.seal(), true, nil)
			if a.keys.KeyPhase() != b.keys.KeyPhase() {
				t.Fatalf("%v: the peer did not follow", s)
			}
			b.wantOpen("second of the new phase", a.seal(), false, nil)
			a.wantOpen("answer", b.seal(), true, nil)
			a.wantOpen("late packet of the phase before", old, false, nil)
			a.keys.OnAcked(a.next - 1)
			b.keys.OnAcked(b.next - 1)

			a.keys.DropPrevious()
			b.keys.DropPrevious()
			if a.keys.HasPrevious() || b.keys.HasPrevious() {
				t.Errorf("%v: previous keys are not dropped", s)
			}
			exchange(a, b)
		}
	}
}

func TestKeyUpdateByBoth(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	exchange(a, b)
	if err := errors.Join(a.keys.Update(), b.keys.Update()); err != nil {
		t.Fatal(err)
	}
	b.wantOpen("first of the new phase", a.seal(), true, nil)
	a.wantOpen("first of the new phase", b.seal(), true, nil)
	exchange(a, b)
	if a.keys.KeyPhase() != b.keys.KeyPhase() {
		t.Error("the phases differ")
	}
}

func TestKeyUpdateReordered(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	exchange(a, b)
	var old, fresh [][]byte
	for range 3 {
		old = append(old, a.seal())
	}
	if err := a.keys.Update(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		fresh = append(fresh, a.seal())
	}
	b.wantOpen("last of the new phase", fresh[2], true, nil)
	b.wantOpen("last of the old phase", old[2], false, nil)
	b.wantOpen("first of the new phase", fresh[0], false, nil)
	b.wantOpen("first of the old phase", old[0], false, nil)
	b.keys.DropPrevious()
	b.wantOpen("old packet after its key", old[1], false, ErrDecrypt)
	b.wantOpen("second of the new phase", fresh[1], false, nil)
}

func TestKeyUpdateTooEarly(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	if err := a.keys.Update(); !errors.Is(err, ErrUpdateTooEarly) {
		t.Errorf("before anything was sent: %v, want ErrUpdateTooEarly", err)
	}
	a.keys.OnAcked(0)
	if err := a.keys.Update(); !errors.Is(err, ErrUpdateTooEarly) {
		t.Errorf("after an ACK of nothing: %v, want ErrUpdateTooEarly", err)
	}
	exchange(a, b)
	last := a.next - 1
	if err := a.keys.Update(); err != nil {
		t.Fatal(err)
	}
	a.seal()
	a.keys.OnAcked(last)
	if err := a.keys.Update(); !errors.Is(err, ErrUpdateTooEarly) {
		t.Errorf("after an ACK of the phase before: %v, want ErrUpdateTooEarly", err)
	}
	var none AppKeys
	if err := none.Update(); !errors.Is(err, ErrUpdateTooEarly) {
		t.Errorf("without keys: %v, want ErrUpdateTooEarly", err)
	}
}

// TestKeyUpdateTwice: a peer that updates again before it can know that its
// last update arrived is in error (RFC 9001, Section 6.2).
func TestKeyUpdateTwice(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	exchange(a, b)
	if err := a.keys.Update(); err != nil {
		t.Fatal(err)
	}
	b.wantOpen("first update", a.seal(), true, nil)
	a.keys.write.acked = true // a does not care
	if err := a.keys.Update(); err != nil {
		t.Fatal(err)
	}
	b.wantOpen("second update", a.seal(), false, ErrKeyUpdate)
}

// TestKeyUpdateBackwards: newer keys must not be used for lower packet numbers
// (RFC 9001, Section 6.4).
func TestKeyUpdateBackwards(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	exchange(a, b)
	a.next = 100
	b.wantOpen("packet 100 of the old phase", a.seal(), false, nil)
	if err := a.keys.Update(); err != nil {
		t.Fatal(err)
	}
	a.next = 50
	b.wantOpen("packet 50 of the new phase", a.seal(), false, ErrKeyUpdate)
}

// TestDropPreviousUnanswered: before the peer follows an update, the previous
// keys are the ones that it sends with.
func TestDropPreviousUnanswered(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	exchange(a, b)
	if err := a.keys.Update(); err != nil {
		t.Fatal(err)
	}
	a.keys.DropPrevious()
	if !a.keys.HasPrevious() {
		t.Error("the keys were dropped")
	}
	a.wantOpen("packet of the phase before", b.seal(), false, nil)
}

func TestAppKeysReservedBits(t *testing.T) {
	a, b := newPeers(t, AES128GCM)
	pkt, at := shortPacket(0, 4, false, []byte("frames"))
	pkt[0] |= 0x10
	b.wantOpen("reserved bit", a.keys.Seal(pkt, at, 4, 0), false, ErrReservedBits)
}

func TestIntegrityLimit(t *testing.T) {
	tests := []struct {
		suite Suite
		limit uint64
	}{
		{AES128GCM, 1 << 52}, {AES256GCM, 1 << 52}, {ChaCha20Poly1305, 1 << 36}, // RFC 9001, Section 6.6
	}
	for _, tt := range tests {
		_, b := newPeers(t, tt.suite)
		b.keys.openFailures = tt.limit - 2
		junk := make([]byte, 50)
		b.wantOpen("one below the limit", junk, false, ErrDecrypt)
		b.wantOpen("at the limit", junk, false, ErrAEADLimit)
		b.wantOpen("short packet", make([]byte, 20), false, ErrDecrypt)
	}
}

func TestConfidentialityLimit(t *testing.T) {
	for _, s := range suites {
		a, b := newPeers(t, s)
		exchange(a, b)
		limited := s != ChaCha20Poly1305
		if a.keys.NeedsUpdate() || a.keys.Exhausted() {
			t.Errorf("%v: new keys need an update", s)
		}
		a.keys.write.sealed = updateAfter
		if a.keys.NeedsUpdate() != limited || a.keys.Exhausted() {
			t.Errorf("%v: after 2^22 packets: NeedsUpdate() = %v, Exhausted() = %v", s, a.keys.NeedsUpdate(), a.keys.Exhausted())
		}
		a.keys.write.sealed = 1<<23 - closePackets - 1
		if a.keys.Exhausted() {
			t.Errorf("%v: before the last packets that close the connection: Exhausted() = true", s)
		}
		for _, n := range []uint64{1<<23 - closePackets, 1 << 23} {
			a.keys.write.sealed = n
			if a.keys.Exhausted() != limited {
				t.Errorf("%v: after %d packets: Exhausted() = %v", s, n, a.keys.Exhausted())
			}
		}
		if err := a.keys.Update(); err != nil {
			t.Fatal(err)
		}
		if a.keys.NeedsUpdate() || a.keys.Exhausted() {
			t.Errorf("%v: updated keys need an update", s)
		}
	}
}

// TestRest gives the ciphers back at every point of a key update, and goes on
// as if nothing had happened.
func TestRest(t *testing.T) {
	for _, s := range suites {
		a, b := newPeers(t, s)
		for i := range 6 {
			what := fmt.Sprintf("%v, phase %d", s, i)
			a.keys.Rest()
			b.keys.Rest()
			if !a.keys.CanRead() || !a.keys.CanWrite() {
				t.Fatalf("%s: no keys at rest", what)
			}
			if i%2 == 0 && a.keys.appCiphers != nil {
				t.Errorf("%s: a cipher stays", what)
			}
			exchange(a, b)
			late := b.seal()
			a.keys.Rest()
			if err := a.keys.Update(); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			a.keys.Rest() // the previous key is needed: nothing happens
			a.wantOpen(what+", late", late, false, nil)
			b.keys.Rest()
			b.wantOpen(what+", first", a.seal(), true, nil)
			a.keys.OnAcked(a.next - 1)
			a.wantOpen(what+", answer", b.seal(), true, nil)
			b.keys.OnAcked(b.next - 1)
			a.keys.DropPrevious()
			b.keys.DropPrevious()
			if a.keys.HasPrevious() || b.keys.HasPrevious() {
				t.Errorf("%s: the previous key stays", what)
			}
		}
	}
}
