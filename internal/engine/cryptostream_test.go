package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestCryptoReceive delivers handshake bytes in pieces, twice and out of
// order, and wants each once, in order.
func TestCryptoReceive(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 6))
		size := uint64(1 + r.IntN(5000))
		var s cryptoStream
		for at := uint64(0); at < size; {
			off := uint64(r.Int64N(int64(size)))
			if r.IntN(2) == 0 {
				off = min(at, size-1)
			}
			n := min(1+r.Uint64N(200), size-off)
			piece := text(off, int(n))
			if data := s.direct(off, piece); len(data) > 0 && r.IntN(2) == 0 {
				if string(data) != string(text(at, len(data))) {
					t.Fatalf("seed %d: wrong bytes come directly at %d", seed, at)
				}
				s.consume(len(data))
				at += uint64(len(data))
				continue
			}
			if err := s.receive(off, piece, maxCryptoBuffer); err != nil {
				if err.Code != wire.CryptoBufferExceeded || len(s.got) <= maxCryptoGaps {
					t.Fatalf("seed %d: %v with %d pieces", seed, err, len(s.got))
				}
				break
			}
			for data := s.take(); len(data) > 0; data = s.take() {
				n := 1 + r.IntN(len(data))
				for i, c := range data[:n] {
					if c != textAt(at+uint64(i)) {
						t.Fatalf("seed %d: byte %d is wrong", seed, at+uint64(i))
					}
				}
				s.consume(n)
				at += uint64(n)
			}
			if err := s.got.Check(); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
	}
}

// TestCryptoSend sends with random losses until all is acknowledged, and then
// keeps nothing.
func TestCryptoSend(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 7))
		size := uint64(1 + r.IntN(5000))
		var s cryptoStream
		arrived := make([]bool, size)
		var flying []streambuf.Range
		for written := uint64(0); s.outAt < size; {
			if written < size {
				n := min(uint64(r.IntN(800)), size-written)
				s.write(text(written, int(n)))
				written += n
			}
			if p := s.pending(); p.Start < p.End {
				p.End = min(p.End, p.Start+1+r.Uint64N(500))
				for i, c := range s.bytes(p.Start, int(p.End-p.Start)) {
					if c != textAt(p.Start+uint64(i)) {
						t.Fatalf("seed %d: byte %d is wrong", seed, p.Start+uint64(i))
					}
				}
				s.sent(p.Start, int(p.End-p.Start))
				flying = append(flying, p)
			}
			if len(flying) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(flying))
				x := flying[i]
				if r.IntN(4) > 0 { // may be told again: a probe carries it, too
					flying = append(flying[:i], flying[i+1:]...)
				}
				f := fate(r.IntN(3) > 0)
				for o := x.Start; f == acked && o < x.End; o++ {
					arrived[o] = true
				}
				s.settle(x.Start, int(x.End-x.Start), f)
			}
			for _, set := range []streambuf.RangeSet{s.acked, s.resend} {
				if err := set.Check(); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			}
		}
		if !allTrue(arrived) || s.out != nil {
			t.Fatalf("seed %d: all arrived %v, %d bytes are kept", seed, allTrue(arrived), len(s.out))
		}
	}
}

// The bounds: bytes ahead, and pieces.
func TestCryptoBounds(t *testing.T) {
	var s cryptoStream
	if err := s.receive(maxCryptoBuffer-1, []byte{1}, maxCryptoBuffer); err != nil {
		t.Fatal(err)
	}
	if err := s.receive(maxCryptoBuffer, []byte{1}, maxCryptoBuffer); err == nil || err.Code != wire.CryptoBufferExceeded {
		t.Fatal(err)
	}
	if err := s.receive(wire.MaxVarint-1, []byte{1}, maxCryptoBuffer); err == nil || err.Code != wire.CryptoBufferExceeded {
		t.Fatal(err)
	}
	s = cryptoStream{}
	for i := range uint64(maxCryptoGaps) {
		if err := s.receive(1+2*i, []byte{1}, maxCryptoBuffer); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.receive(2*maxCryptoGaps+1, []byte{1}, maxCryptoBuffer); err == nil || err.Code != wire.CryptoBufferExceeded {
		t.Fatal(err)
	}
}
