package engine

import (
	"math/rand/v2"
	"testing"

	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// textAt is the byte at an offset of every test stream.
func textAt(off uint64) byte { return byte(off*7 + off>>8*13) }

func text(off uint64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = textAt(off + uint64(i))
	}
	return b
}

func allTrue(b []bool) bool {
	for _, x := range b {
		if !x {
			return false
		}
	}
	return true
}

// TestSendBuffer writes, sends, loses and acknowledges at random, with the
// send half that keeps the account, until all has arrived.
func TestSendBuffer(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		size := uint64(r.IntN(5 * streambuf.BlockSize))
		h := sendHalf{sendProgress: sendProgress{state: sendSend, max: size}}
		account := new(streambuf.Account)
		account.Init(new(streambuf.Pool))
		account.SetLimits(size, 0)
		h.buf.Init(account, size)
		b, written := h.buf.Writer(), uint64(0)
		arrived := make([]bool, size)
		type flight struct {
			r   streambuf.Range
			fin bool
			pn  int
		}
		var flying []flight
		credit := uint64(0)
		for pn := 0; !(h.finVal.received() && h.ackedTo == size); pn++ {
			if pn > 100_000 {
				t.Fatalf("seed %d: no end: sent %d, acknowledged %d", seed, h.next, h.ackedTo)
			}
			if written < size {
				n, err := b.Write(text(written, int(min(uint64(r.IntN(20_000)), size-written))))
				if err != nil {
					t.Fatal(err)
				}
				written += uint64(n)
				credit += uint64(n)
			} else if err := b.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			h.end, h.fin = h.buf.Written()
			if c, fin, ok := h.chunk(credit); ok {
				if n := uint64(1 + r.IntN(1400)); c.End-c.Start > n {
					c.End, fin = c.Start+n, false
				}
				data := h.buf.AppendTo(nil, c.Start, int(c.End-c.Start))
				for i, x := range data {
					if x != textAt(c.Start+uint64(i)) {
						t.Fatalf("seed %d: byte %d is %#x", seed, c.Start+uint64(i), x)
					}
				}
				fresh := h.sent(c, fin, wire.PacketNumber(pn))
				credit -= fresh
				h.buf.SetSent(h.next)
				flying = append(flying, flight{c, fin, pn})
			}
			for len(flying) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(flying))
				x := flying[i]
				flying = append(flying[:i], flying[i+1:]...)
				got := fate(r.IntN(3) > 0)
				h.settle(x.r.Start, x.r.End, x.fin, wire.PacketNumber(x.pn), got)
				if got == acked {
					for o := x.r.Start; o < x.r.End; o++ {
						arrived[o] = true
					}
					h.buf.Acknowledge(h.ackedTo)
				}
				for _, s := range h.sets() {
					if err := s.Check(); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				if h.ackedTo < size && arrived[h.ackedTo] {
					t.Fatalf("seed %d: acknowledged up to %d, more arrived", seed, h.ackedTo)
				}
			}
		}
		if !allTrue(arrived) || account.Held() != 0 {
			t.Fatalf("seed %d: all arrived %v, %d bytes are held", seed, allTrue(arrived), account.Held())
		}
	}
}
