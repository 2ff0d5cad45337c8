//go:build amd64 && !purego

package gcm

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// TestLengths has every length of a payload at every alignment.
func TestLengths(t *testing.T) {
	const header, longest = 11, 2100
	random := rand.NewChaCha8([32]byte{1})
	plain := make([]byte, 64+header+longest+TagSize)
	random.Read(plain)
	work, want := make([]byte, len(plain)+2*64), make([]byte, len(plain))
	work = work[-uintptr(unsafe.Pointer(&work[0]))%64:]
	for _, p := range pairs(t, random) {
		for _, im := range implementations {
			for n := range longest + 1 {
				packet := Packet{Header: header, End: header + n + TagSize, Number: uint64(n) << 30}
				end := 64 + packet.End
				p.reference.seal(want, plain, &packet)
				sealed := bytes.Clone(want[:packet.End])
				for align := range 64 {
					copy(work[:end], plain[:end])
					moved := work[align : align+packet.End]
					copy(moved, plain[:packet.End])
					copy(want, sealed)
					p.wantBothIn(t, im, plain[:packet.End], moved, want[:packet.End], []Packet{packet})
				}
			}
		}
	}
}

// TestAVX512 says whether the other tests had it.
func TestAVX512(t *testing.T) {
	need(t)
	if !wide {
		peertest.NotHere(t, "AVX-512", "a processor that has it, with VAES")
	}
}

// TestHeaders has every length of a header with payloads that end in all ways.
func TestHeaders(t *testing.T) {
	random := rand.NewChaCha8([32]byte{2})
	b := make([]byte, 64+600+TagSize)
	random.Read(b)
	for _, p := range pairs(t, random) {
		for _, im := range implementations {
			for header := range 65 {
				for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 127, 128, 129, 255, 256, 257, 511, 512, 599} {
					end := header + n + TagSize
					p.wantBoth(t, im, b[:end], []Packet{{Header: header, End: end, Number: random.Uint64()}})
				}
			}
		}
	}
}

// TestTrains has packets of all kinds one behind the other, some with a gap between, in which
// nothing may change.
func TestTrains(t *testing.T) {
	source := rand.NewChaCha8([32]byte{3})
	random := rand.New(source)
	for _, p := range pairs(t, source) {
		for _, im := range implementations {
			for range 300 {
				var packets []Packet
				end := 0
				for range 1 + random.IntN(64) {
					start := end + random.IntN(2)*random.IntN(20)
					header := random.IntN(30)
					end = start + header + random.IntN(1500) + TagSize
					packets = append(packets, Packet{Start: start, Header: header, End: end, Number: random.Uint64()})
				}
				train := make([]byte, end+random.IntN(20))
				source.Read(train)
				p.wantBoth(t, im, train, packets)
			}
		}
	}
}

// TestTampered changes every bit of a packet: it does not open, nothing of its payload is
// left, and its tag is as it was. Its neighbours open.
func TestTampered(t *testing.T) {
	random := rand.NewChaCha8([32]byte{4})
	for _, n := range []int{0, 1, 16, 40, 256, 300} {
		const header = 13
		size := header + n + TagSize
		plain := make([]byte, 3*size)
		random.Read(plain)
		for _, p := range pairs(t, random) {
			packets := []Packet{
				{0, header, size, 1, false}, {size, header, 2 * size, 2, false}, {2 * size, header, 3 * size, 3, false},
			}
			sealed := bytes.Clone(plain)
			p.Seal(sealed, packets)
			for bit := range size * 8 {
				b := bytes.Clone(sealed)
				bad := b[size : 2*size]
				bad[bit/8] ^= 1 << (bit % 8)
				tag := bytes.Clone(bad[size-TagSize:])
				p.Open(b, packets)
				if !packets[0].Authentic || packets[1].Authentic || !packets[2].Authentic {
					t.Fatalf("%s: %d bytes, bit %d changed: authentic are %+v", p.name, n, bit, packets)
				}
				if !bytes.Equal(bad[header:size-TagSize], make([]byte, n)) {
					t.Fatalf("%s: %d bytes, bit %d changed: the payload is not cleared", p.name, n, bit)
				}
				if !bytes.Equal(bad[size-TagSize:], tag) {
					t.Fatalf("%s: %d bytes, bit %d changed: the tag is destroyed", p.name, n, bit)
				}
				if !bytes.Equal(b[:size-TagSize], plain[:size-TagSize]) || !bytes.Equal(b[2*size:3*size-TagSize], plain[2*size:3*size-TagSize]) {
					t.Fatalf("%s: %d bytes, bit %d changed: a neighbour does not open", p.name, n, bit)
				}
			}
			packets[1].Number++
			p.Open(sealed, packets[1:2])
			if packets[1].Authentic {
				t.Errorf("%s: opened with another packet number", p.name)
			}
		}
	}
}

// TestMasks compares with crypto/aes.
func TestMasks(t *testing.T) {
	need(t)
	random := rand.NewChaCha8([32]byte{5})
	for _, size := range []int{16, 32} {
		key := make([]byte, size)
		random.Read(key)
		masks, want := NewMasks(key), newBlock(t, key)
		for n := range 20 {
			blocks := make([][BlockSize]byte, n)
			for i := range blocks {
				random.Read(blocks[i][:])
			}
			plain := slices.Clone(blocks)
			masks.Encrypt(blocks)
			for i := range blocks {
				if want.Encrypt(plain[i][:], plain[i][:]); blocks[i] != plain[i] {
					t.Errorf("%d bytes of key, %d blocks: block %d is %x, want %x", size, n, i, blocks[i], plain[i])
				}
			}
		}
	}
}

// TestBounds: what the assembly would believe is refused.
func TestBounds(t *testing.T) {
	k := pairs(t, rand.NewChaCha8([32]byte{}))[0].Key
	const size, most = 100, int(^uint(0) >> 1)
	for what, packets := range map[string][]Packet{
		"begins before the train":     {{Start: -1, End: 50}},
		"ends behind the train":       {{Start: 0, End: size + 1}},
		"no room for a tag":           {{Start: 10, End: 10 + TagSize - 1}},
		"no room for a header":        {{Start: 10, Header: 5, End: 10 + TagSize + 4}},
		"header shorter than nothing": {{Start: 10, Header: -1, End: 50}},
		"header longer than memory":   {{Start: 10, Header: most, End: 50}},
		"ends before it begins":       {{Start: 60, End: 50}},
		"ends far before it begins":   {{Start: 60, Header: most - 10, End: -most}},
		"packets that overlap":        {{Start: 0, End: 50}, {Start: 49, End: 90}},
		"packets in wrong order":      {{Start: 50, End: 90}, {Start: 0, End: 50}},
	} {
		for name, do := range map[string]func([]byte, []Packet){"Seal": k.Seal, "Open": k.Open} {
			b := make([]byte, size)
			if !panics(func() { do(b, packets) }) || !bytes.Equal(b, make([]byte, size)) {
				t.Errorf("%s: %s was not refused", name, what)
			}
		}
	}
	if !panics(func() { NewKey(make([]byte, 24), new([IVSize]byte)) }) || !panics(func() { NewMasks(nil) }) {
		t.Error("a key of another length was not refused")
	}
	k.Seal(nil, nil)
	k.Open(nil, nil)
}

func panics(do func()) (did bool) {
	defer func() { did = recover() != nil }()
	do()
	return false
}

// FuzzPackets seals and opens two packets as the reference does.
func FuzzPackets(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("0123456789ab"), []byte("header and payload"), []byte("another"), uint64(7), byte(6), byte(3))
	f.Add(make([]byte, 32), make([]byte, 12), make([]byte, 1300), make([]byte, 257), uint64(1)<<61, byte(11), byte(0))
	need(f)
	f.Fuzz(func(t *testing.T, key, iv, one, two []byte, number uint64, headerOne, headerTwo byte) {
		key = append(key, make([]byte, 32)...)[:16+16*(len(key)/32%2)]
		p := pair{name: "fuzzed"}
		var fixed [IVSize]byte
		copy(fixed[:], iv)
		p.Key, p.reference = NewKey(key, &fixed), newReference(t, key, &fixed)
		var train []byte
		var packets []Packet
		for i, b := range [][]byte{one, two} {
			header := min(int([]byte{headerOne, headerTwo}[i]), len(b))
			start := len(train)
			train = append(append(train, b...), make([]byte, TagSize)...)
			packets = append(packets, Packet{Start: start, Header: header, End: len(train), Number: number + uint64(i)})
		}
		for _, im := range implementations {
			p.wantBoth(t, im, train, packets)
			junk := bytes.Clone(train)
			im.open(p.Key, &junk[0], &packets[0], len(packets))
			for i := range packets {
				q := &packets[i]
				_, err := p.aead.Open(nil, p.nonce(q.Number), train[q.Start+q.Header:q.End], train[q.Start:q.Start+q.Header])
				if q.Authentic != (err == nil) {
					t.Fatalf("%s: Authentic = %v, want %v", im.name, q.Authentic, err == nil)
				}
			}
		}
	})
}
