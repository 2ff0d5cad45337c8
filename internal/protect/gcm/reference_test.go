//go:build amd64 && !purego

package gcm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// reference is crypto/cipher's AES-GCM with the nonces of QUIC packets.
type reference struct {
	aead cipher.AEAD
	iv   [IVSize]byte
}

func newReference(t testing.TB, key []byte, iv *[IVSize]byte) reference {
	t.Helper()
	aead, err := cipher.NewGCM(newBlock(t, key))
	if err != nil {
		t.Fatal(err)
	}
	return reference{aead, *iv}
}

func newBlock(t testing.TB, key []byte) cipher.Block {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// nonce combines IV and packet number (RFC 9001, Section 5.3).
func (r *reference) nonce(number uint64) []byte {
	nonce := r.iv
	low := nonce[IVSize-8:]
	binary.BigEndian.PutUint64(low, binary.BigEndian.Uint64(low)^number)
	return nonce[:]
}

// seal puts packet p of a train, sealed, into out.
func (r *reference) seal(out, train []byte, p *Packet) {
	header, payload := train[p.Start:p.Start+p.Header], train[p.Start+p.Header:p.End-TagSize]
	copy(out[p.Start:], header)
	r.aead.Seal(out[p.Start+p.Header:p.Start+p.Header], r.nonce(p.Number), payload, header)
}

// pair has the same key twice: ours and the reference.
type pair struct {
	*Key
	reference
	name string
}

// pairs returns one for each length of keys.
func pairs(t testing.TB, random *rand.ChaCha8) (list []pair) {
	t.Helper()
	need(t)
	for _, size := range []int{16, 32} {
		var iv [IVSize]byte
		random.Read(iv[:])
		key := make([]byte, size)
		random.Read(key)
		list = append(list, pair{NewKey(key, &iv), newReference(t, key, &iv), []string{"AES-128", "AES-256"}[size/32]})
	}
	return list
}

// implementation is a way to seal and open.
type implementation struct {
	name       string
	seal, open func(k *Key, train *byte, packets *Packet, n int)
}

// implementations are those that this processor has.
var implementations = func() (list []implementation) {
	if available {
		list = append(list, implementation{"AVX2", sealAVX2, openAVX2})
	}
	if wide {
		list = append(list, implementation{"AVX-512", sealAVX512, openAVX512})
	}
	return list
}()

// need leaves a test out where there is nothing to test.
func need(t testing.TB) {
	t.Helper()
	if !available {
		peertest.NotHere(t, "VAES", "a processor that has it, and neither FIPS mode nor GODEBUG against it")
	}
}

// wantBoth seals packets of a train with an implementation and opens them again, and wants
// both to do what the reference does, and nothing to what is between.
func (p *pair) wantBoth(t *testing.T, im implementation, train []byte, packets []Packet) {
	t.Helper()
	sealed, want := bytes.Clone(train), bytes.Clone(train)
	for i := range packets {
		p.reference.seal(want, train, &packets[i])
	}
	p.wantBothIn(t, im, train, sealed, want, packets)
}

// wantBothIn is wantBoth in memory given: train is plain and stays, work is train, and want
// is train sealed.
func (p *pair) wantBothIn(t *testing.T, im implementation, train, work, want []byte, packets []Packet) {
	t.Helper()
	check(work, packets)
	im.seal(p.Key, &work[0], &packets[0], len(packets))
	if !bytes.Equal(work, want) {
		t.Fatalf("%s, %s: %+v: sealed differently at byte %d", p.name, im.name, packets, difference(work, want))
	}
	im.open(p.Key, &work[0], &packets[0], len(packets))
	for i := range packets {
		q := &packets[i]
		if !q.Authentic {
			t.Fatalf("%s, %s: packet %d of %+v is not authentic", p.name, im.name, i, packets)
		}
		q.Authentic = false
		copy(want[q.Start:q.End-TagSize], train[q.Start:])
	}
	if !bytes.Equal(work, want) {
		t.Fatalf("%s, %s: %+v: opened differently at byte %d", p.name, im.name, packets, difference(work, want))
	}
}

// difference returns where a and b differ first.
func difference(a, b []byte) int {
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	return i
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
