package h3

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// wanted takes capsules of types below 10, up to 100 bytes.
func wanted(t CapsuleType) int {
	if t < 10 {
		return 100
	}
	return -1
}

// readCapsules feeds b to a reader in pieces of the given size.
func readCapsules(b []byte, size int) (found []Capsule, kept int, err error) {
	r := NewCapsuleReader(wanted)
	for len(b) > 0 {
		piece := b[:min(size, len(b))]
		b = b[len(piece):]
		for len(piece) > 0 {
			c, ok, n, err := r.Next(piece)
			if err != nil {
				return found, kept, err
			}
			piece = piece[n:]
			kept = max(kept, cap(r.value))
			if ok {
				found = append(found, Capsule{c.Type, bytes.Clone(c.Value)})
			}
		}
	}
	return found, kept, r.Finish()
}

func TestCapsules(t *testing.T) {
	b := AppendCapsule(nil, 1, []byte("one"))
	b = AppendCapsule(b, 2, nil)
	b = AppendCapsule(b, 0x1234, []byte(strings.Repeat("x", 1<<20)))
	b = AppendCapsule(b, 0x1234, nil)
	b = AppendCapsule(b, CapsuleDatagram, []byte(strings.Repeat("z", 101))) // too long to be of use
	b = AppendCapsule(b, 9, []byte(strings.Repeat("y", 100)))
	for _, size := range []int{1, 2, 3, 7, 1000, 1 << 21} {
		found, kept, err := readCapsules(b, size)
		if err != nil || len(found) != 3 {
			t.Fatalf("pieces of %d: %d capsules, %v", size, len(found), err)
		}
		for i, want := range []Capsule{{1, []byte("one")}, {2, nil}, {9, []byte(strings.Repeat("y", 100))}} {
			if found[i].Type != want.Type || !bytes.Equal(found[i].Value, want.Value) {
				t.Errorf("pieces of %d: capsule %d is %v, want %v", size, i, found[i], want)
			}
		}
		if kept > 256 {
			t.Errorf("pieces of %d: %d bytes were stored, though unknown capsules must not be", size, kept)
		}
	}
}

func TestCapsuleErrors(t *testing.T) {
	for name, b := range map[string][]byte{
		"too long":      AppendFrameHeader(nil, 3, 101),
		"huge":          AppendFrameHeader(nil, 3, wire.MaxVarint),
		"ends in value": AppendCapsule(nil, 3, []byte("abc"))[:4],
		"ends in type":  {0x40},
		"ends unknown":  AppendFrameHeader(nil, 99, 5),
	} {
		_, _, err := readCapsules(b, 3)
		var malformed *StreamError
		if !errors.As(err, &malformed) || malformed.Code != MessageError {
			t.Errorf("%s: %v, want %v", name, err, MessageError)
		}
	}
}

func TestDatagrams(t *testing.T) {
	b := append(AppendQuarterID(nil, 4*77), "payload"...)
	if id, payload, err := ParseDatagram(b); err != nil || id != 4*77 || string(payload) != "payload" {
		t.Errorf("%d, %q, %v", id, payload, err)
	}
	for name, b := range map[string][]byte{
		"empty":     nil,
		"truncated": {0xc0, 0},
		"too large": wire.AppendVarint(nil, 1<<60),
	} {
		_, _, err := ParseDatagram(b)
		if code, whole := Code(err); code != DatagramError || !whole {
			t.Errorf("%s: %v, want %v", name, err, DatagramError)
		}
	}
}

// FuzzCapsules checks that the pieces' sizes make no difference, and what is
// stored.
func FuzzCapsules(f *testing.F) {
	f.Add(AppendCapsule(AppendCapsule(nil, 3, []byte("abc")), 99, []byte("xyz")), uint8(2))
	f.Add(AppendFrameHeader(nil, 3, wire.MaxVarint), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		whole, _, wholeErr := readCapsules(b, len(b)+1)
		pieces, kept, err := readCapsules(b, int(size)+1)
		if (err == nil) != (wholeErr == nil) || len(whole) != len(pieces) {
			t.Fatalf("in pieces %d, %v; whole %d, %v", len(pieces), err, len(whole), wholeErr)
		}
		for i := range whole {
			if whole[i].Type != pieces[i].Type || !bytes.Equal(whole[i].Value, pieces[i].Value) {
				t.Fatalf("capsule %d: in pieces %v, whole %v", i, pieces[i], whole[i])
			}
		}
		if kept > 256 {
			t.Fatalf("%d bytes stored", kept)
		}
	})
}

// FuzzDatagram checks that what is parsed is written the same, or shorter.
func FuzzDatagram(f *testing.F) {
	f.Add([]byte("\x02payload"))
	f.Add([]byte{0x40, 0x02})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		id, payload, err := ParseDatagram(b)
		if err != nil {
			return
		}
		if id%requestStep != 0 || id > wire.MaxVarint {
			t.Fatalf("stream %d", id)
		}
		again := append(AppendQuarterID(nil, id), payload...)
		id2, payload2, err := ParseDatagram(again)
		if err != nil || id2 != id || !bytes.Equal(payload2, payload) || len(again) > len(b) {
			t.Fatalf("%x became %x: stream %d and %d, %v", b, again, id, id2, err)
		}
	})
}
