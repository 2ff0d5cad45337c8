package protect

import (
	"bytes"
	"errors"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

var suites = []Suite{AES128GCM, AES256GCM, ChaCha20Poly1305}

// testSecret returns a secret of the length that TLS would give.
func testSecret(s Suite, fill byte) []byte {
	return bytes.Repeat([]byte{fill}, len(s.hash(new(hashValue), nil)))
}

func newPair(t testing.TB, s Suite) (Sealer, Opener) {
	t.Helper()
	sealer, err := NewSealer(wire.Version1, s, testSecret(s, 1))
	if err != nil {
		t.Fatal(err)
	}
	opener, err := NewOpener(wire.Version1, s, testSecret(s, 1))
	if err != nil {
		t.Fatal(err)
	}
	return sealer, opener
}

// shortPacket returns an unprotected 1-RTT packet to an 8-byte ID, with room
// for the tag.
func shortPacket(pn wire.PacketNumber, pnLen int, phase bool, payload []byte) (pkt []byte, pnOffset int) {
	id, _ := wire.NewConnectionID([]byte("12345678"))
	pkt = wire.AppendShortHeader(make([]byte, 0, 1500), &id, false, phase, pn, pnLen)
	return append(pkt, payload...), 9
}

func TestRoundTrip(t *testing.T) {
	for _, s := range suites {
		sealer, opener := newPair(t, s)
		if !sealer.Valid() || !opener.Valid() {
			t.Errorf("%v: not valid", s)
		}
		for pnLen := 1; pnLen <= 4; pnLen++ {
			for _, size := range []int{3, 4, 100, 1300} {
				payload := bytes.Repeat([]byte{byte(size)}, size)
				const pn = 0x1234567890
				pkt, at := shortPacket(pn, pnLen, true, payload)
				before := &pkt[0]
				pkt = sealer.Seal(pkt, at, pnLen, pn)
				if &pkt[0] != before {
					t.Errorf("%v: the packet moved though it had the capacity", s)
				}
				got, gotPN, err := opener.Open(pkt, at, pn-1)
				if err != nil || gotPN != pn || !bytes.Equal(got, payload) {
					t.Errorf("%v, %d bytes of packet number, %d of payload: packet %#x, %v, %x", s, pnLen, size, gotPN, err, got)
				}
			}
		}
	}
}

func TestOpenJunk(t *testing.T) {
	for _, s := range suites {
		sealer, opener := newPair(t, s)
		sealed, at := shortPacket(7, 2, false, []byte("frames of a packet"))
		sealed = sealer.Seal(sealed, at, 2, 7)
		for i := range sealed {
			pkt := bytes.Clone(sealed)
			pkt[i] ^= 0x04
			if _, _, err := opener.Open(pkt, at, 6); !errors.Is(err, ErrDecrypt) {
				t.Errorf("%v: byte %d changed: %v, want ErrDecrypt", s, i, err)
			}
			if tail := len(pkt) - Overhead; i < tail && !bytes.Equal(pkt[tail:], sealed[tail:]) {
				t.Errorf("%v: byte %d changed: the last 16 bytes were destroyed", s, i)
			}
		}
		for i := at; i < len(sealed); i++ {
			if _, _, err := opener.Open(bytes.Clone(sealed[:i]), at, 6); !errors.Is(err, ErrDecrypt) {
				t.Errorf("%v: truncated to %d bytes: %v, want ErrDecrypt", s, i, err)
			}
		}
	}
}

func TestReservedBits(t *testing.T) {
	sealer, opener := newPair(t, AES128GCM)
	for _, first := range []byte{0x08, 0x10} {
		pkt, at := shortPacket(7, 2, false, []byte("frames"))
		pkt[0] |= first
		pkt = sealer.Seal(pkt, at, 2, 7)
		if _, pn, err := opener.Open(pkt, at, 6); !errors.Is(err, ErrReservedBits) || pn != 7 {
			t.Errorf("short header with bit %#x: packet %d, %v; want ErrReservedBits", first, pn, err)
		}
	}
	for _, first := range []byte{0x04, 0x08} {
		var id wire.ConnectionID
		pkt, lengthAt := wire.AppendLongHeader(nil, wire.HandshakePacket, wire.Version1, &id, &id, nil, 7, 2)
		at := len(pkt) - 2
		pkt = append(pkt, "frames"...)
		wire.PutLength(pkt, lengthAt, 2+6+Overhead)
		pkt[0] |= first
		pkt = sealer.Seal(pkt, at, 2, 7)
		if _, _, err := opener.Open(pkt, at, 6); !errors.Is(err, ErrReservedBits) {
			t.Errorf("long header with bit %#x: %v, want ErrReservedBits", first, err)
		}
	}
}

func TestUnknownSuite(t *testing.T) {
	if _, err := NewSealer(wire.Version1, 0x1304, make([]byte, 32)); !errors.Is(err, ErrSuite) {
		t.Errorf("NewSealer: %v, want ErrSuite", err)
	}
	if _, err := NewOpener(wire.Version1, 0, make([]byte, 32)); !errors.Is(err, ErrSuite) {
		t.Errorf("NewOpener: %v, want ErrSuite", err)
	}
	var k AppKeys
	if err := k.SetReadSecret(wire.Version1, 1, make([]byte, 32)); !errors.Is(err, ErrSuite) || k.CanRead() {
		t.Errorf("SetReadSecret: %v, CanRead() = %v; want ErrSuite, false", err, k.CanRead())
	}
	if err := k.SetWriteSecret(wire.Version1, 1, make([]byte, 32)); !errors.Is(err, ErrSuite) || k.CanWrite() {
		t.Errorf("SetWriteSecret: %v, CanWrite() = %v; want ErrSuite, false", err, k.CanWrite())
	}
}

func TestSuiteNames(t *testing.T) {
	for s, want := range map[Suite]string{
		AES128GCM:        "TLS_AES_128_GCM_SHA256",
		AES256GCM:        "TLS_AES_256_GCM_SHA384",
		ChaCha20Poly1305: "TLS_CHACHA20_POLY1305_SHA256",
		0x1304:           "cipher suite 0x1304",
	} {
		if got := s.String(); got != want {
			t.Errorf("String() = %q, want %q", got, want)
		}
	}
}

// FuzzOpen opens arbitrary packets in every suite; none can be authentic.
func FuzzOpen(f *testing.F) {
	f.Add(vector(f, "v1_server_initial"), uint8(18))
	f.Add(unhex(f, "4cfe4189655e5cd55c41f69080575d7999c25a5bfb"), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, pnOffset uint8) {
		if int(pnOffset) >= len(b) {
			return
		}
		for _, s := range suites {
			_, opener := newPair(t, s)
			if payload, _, err := opener.Open(bytes.Clone(b), int(pnOffset), 0); err == nil {
				t.Fatalf("%v: opened %x as %x", s, b, payload)
			}
			var k AppKeys
			if err := k.SetReadSecret(wire.Version1, s, testSecret(s, 1)); err != nil {
				t.Fatal(err)
			}
			if payload, _, _, err := k.Open(bytes.Clone(b), int(pnOffset), 0); err == nil {
				t.Fatalf("%v: opened %x as %x", s, b, payload)
			}
		}
	})
}
