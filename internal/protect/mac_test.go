package protect

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"testing"
)

// TestMAC compares with crypto/hmac.
func TestMAC(t *testing.T) {
	hashes := map[Suite]func() hash.Hash{AES128GCM: sha256.New, AES256GCM: sha512.New384, ChaCha20Poly1305: sha256.New}
	for s, newHash := range hashes {
		for size := 0; size <= maxMACInput; size++ {
			key, message := bytes.Repeat([]byte{1}, maxMACInput-size), bytes.Repeat([]byte{2}, size)
			want := hmac.New(newHash, key)
			want.Write(message)
			var sum hashValue
			if got := s.mac(&sum, key, message); !bytes.Equal(got, want.Sum(nil)) {
				t.Errorf("%v: a message of %d bytes: %x, want %x", s, size, got, want.Sum(nil))
			}
		}
	}
}

func TestMACDoesNotAllocate(t *testing.T) {
	for _, s := range suites {
		var sum hashValue
		key, message := make([]byte, 32), make([]byte, 20)
		if n := testing.AllocsPerRun(100, func() { s.mac(&sum, key, message) }); n != 0 {
			t.Errorf("%v: %v allocations, want 0", s, n)
		}
	}
}

// derive is Suite.derive with memory of its own.
func derive(s Suite, secret []byte, label string, n int) []byte {
	return s.derive(new(hashValue), secret, label, n)
}
