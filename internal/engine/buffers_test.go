package engine

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"

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

func newRecvBuffer() *RecvBuffer {
	s := &account{}
	s.threshold.Store(1 << 40)
	return &RecvBuffer{shared: s, notify: 1 << 40}
}

// readAll reads what can be read now, in random pieces, and checks it.
func readText(t *testing.T, r *rand.Rand, b *RecvBuffer, at uint64) (uint64, error) {
	t.Helper()
	p := make([]byte, 1+r.IntN(50_000))
	for {
		n, err := b.Read(p[:1+r.IntN(len(p))])
		for i, c := range p[:n] {
			if c != textAt(at+uint64(i)) {
				t.Fatalf("byte %d is %#x, want %#x", at+uint64(i), c, textAt(at+uint64(i)))
			}
		}
		at += uint64(n)
		if n == 0 {
			return at, err
		}
	}
}

// TestRecvBuffer delivers a stream in overlapping pieces out of order, reads
// meanwhile, and wants each byte once and EOF after the last.
func TestRecvBuffer(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 4))
		size := uint64(r.IntN(4 * blockSize))
		b := newRecvBuffer()
		arrived := make([]bool, size)
		read, front := uint64(0), uint64(0)
		for front < size {
			off := uint64(r.Int64N(int64(size)))
			if r.IntN(3) == 0 {
				off = front
			}
			n := min(1+r.Uint64N(1+size/4), size-off)
			for i := range n {
				arrived[off+i] = true
			}
			for front < size && arrived[front] {
				front++
			}
			readable, ok := b.insert(off, text(off, int(n)), off+n == size && r.IntN(2) == 0)
			if !ok {
				t.Fatalf("seed %d: too many pieces", seed)
			}
			if got := b.Buffered(); uint64(got) != front-read {
				t.Fatalf("seed %d: %d bytes can be read, want %d", seed, got, front-read)
			}
			if readable && front == read && front < size {
				t.Fatalf("seed %d: readable without news", seed)
			}
			if r.IntN(3) == 0 {
				var err error
				if read, err = readText(t, r, b, read); read != front || err != nil && err != io.EOF {
					t.Fatalf("seed %d: read up to %d of %d: %v", seed, read, front, err)
				}
			}
		}
		b.insert(size, nil, true)
		if !b.received() {
			t.Fatalf("seed %d: not received", seed)
		}
		if at, err := readText(t, r, b, read); at != size || err != io.EOF {
			t.Fatalf("seed %d: ended at %d of %d with %v", seed, at, size, err)
		}
		if n := b.shared.unreported.Load(); uint64(n) != size {
			t.Fatalf("seed %d: %d bytes count as read, want %d", seed, n, size)
		}
		if held(&b.data) != 0 {
			t.Fatalf("seed %d: %d blocks are kept", seed, held(&b.data))
		}
	}
}

func allTrue(b []bool) bool {
	for _, x := range b {
		if !x {
			return false
		}
	}
	return true
}

// held counts the blocks in use.
func held(b *blocks) (n int) {
	for _, x := range b.list {
		if x != nil {
			n++
		}
	}
	return n
}

// The end of a stream, in every order.
func TestRecvBufferEnds(t *testing.T) {
	wrong := errors.New("wrong")
	p := make([]byte, 10)
	tests := []struct {
		name string
		do   func(b *RecvBuffer)
		n    int
		err  error
	}{
		{"nothing yet", func(b *RecvBuffer) {}, 0, nil},
		{"a hole", func(b *RecvBuffer) { b.insert(1, text(1, 5), true) }, 0, nil},
		{"empty stream", func(b *RecvBuffer) { b.insert(0, nil, true) }, 0, io.EOF},
		{"data before FIN", func(b *RecvBuffer) { b.insert(0, text(0, 3), true) }, 3, nil},
		{"FIN before data", func(b *RecvBuffer) { b.insert(3, nil, true); b.insert(0, text(0, 3), false) }, 3, nil},
		{"failed", func(b *RecvBuffer) { b.insert(0, text(0, 3), false); b.fail(wrong) }, 0, wrong},
		{"failed twice", func(b *RecvBuffer) { b.fail(wrong); b.fail(io.ErrClosedPipe) }, 0, wrong},
		{"failed after all was read", func(b *RecvBuffer) { b.insert(0, nil, true); b.fail(wrong) }, 0, io.EOF},
		{"connection ended, all there", func(b *RecvBuffer) { b.insert(0, text(0, 3), true); b.failAfterReceived(wrong) }, 3, nil},
		{"connection ended, not all there", func(b *RecvBuffer) { b.insert(0, text(0, 3), false); b.failAfterReceived(wrong) }, 3, nil},
		{"data after failure", func(b *RecvBuffer) { b.fail(wrong); b.insert(0, text(0, 3), false) }, 0, wrong},
		{"cut within", func(b *RecvBuffer) { b.insert(0, text(0, 9), false); b.failAt(4, wrong) }, 4, nil},
		{"cut after failure", func(b *RecvBuffer) { b.fail(wrong); b.failAt(4, io.ErrClosedPipe) }, 0, wrong},
		{"cut at the beginning", func(b *RecvBuffer) { b.insert(0, text(0, 9), false); b.failAt(0, wrong) }, 0, wrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newRecvBuffer()
			tt.do(b)
			if n, err := b.Read(p); n != tt.n || err != tt.err {
				t.Fatalf("Read returns %d, %v, want %d, %v", n, err, tt.n, tt.err)
			}
		})
	}
}

// After the connection's end, reading goes on to the end of what arrived.
func TestRecvBufferConnectionEnd(t *testing.T) {
	wrong := errors.New("wrong")
	b := newRecvBuffer()
	b.insert(0, text(0, 3), false)
	b.insert(5, text(5, 3), true) // never to be reached
	b.failAfterReceived(wrong)
	p := make([]byte, 2)
	for _, want := range []struct {
		n   int
		err error
	}{{2, nil}, {1, nil}, {0, wrong}, {0, wrong}} {
		if n, err := b.Read(p); n != want.n || err != want.err {
			t.Fatalf("Read returns %d, %v, want %d, %v", n, err, want.n, want.err)
		}
	}
}

// Too many gaps are refused; what fills them is welcome.
func TestRecvBufferGaps(t *testing.T) {
	b := newRecvBuffer()
	for i := range uint64(maxStreamGaps) {
		if _, ok := b.insert(1+2*i, []byte{textAt(1 + 2*i)}, false); !ok {
			t.Fatalf("gap %d is too many", i)
		}
	}
	if _, ok := b.insert(1+2*maxStreamGaps, []byte{0}, false); ok {
		t.Fatal("no end to the gaps")
	}
	b = newRecvBuffer()
	for i := range uint64(maxStreamGaps) {
		b.insert(1+2*i, []byte{textAt(1 + 2*i)}, false)
	}
	if readable, ok := b.insert(0, text(0, 2*maxStreamGaps), false); !readable || !ok || b.Buffered() != 2*maxStreamGaps {
		t.Fatalf("filled: readable %v, %v, %d bytes", readable, ok, b.Buffered())
	}
}

// Consumed tells the reader when the engine should hear of its progress.
func TestRecvBufferConsumed(t *testing.T) {
	b := newRecvBuffer()
	b.setNotify(5)
	b.insert(0, text(0, 20), true)
	p := make([]byte, 20)
	for i, n := range []int{4, 1, 3} {
		if _, err := b.Read(p[:n]); err != nil {
			t.Fatal(err)
		}
		if got, want := b.Consumed(), i > 0; got != want {
			t.Fatalf("after read %d: %v", i, got)
		}
	}
	b.setNotify(1000)
	if b.Consumed() {
		t.Fatal("told again")
	}
	b.shared.threshold.Store(8) // another stream's readers count too
	if !b.Consumed() {
		t.Fatal("the connection's window is not thought of")
	}
	b.shared.threshold.Store(1 << 40)
	if _, err := b.Read(p); err != nil || !b.Consumed() {
		t.Fatal("the end is not told of")
	}
}

// TestSendBuffer writes, sends, loses and acknowledges at random, with the
// send half that keeps the account, until all has arrived.
func TestSendBuffer(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		size := uint64(r.IntN(5 * blockSize))
		var b SendBuffer
		h := sendHalf{state: sendSend, max: size}
		arrived := make([]bool, size)
		type flight struct {
			r   byteRange
			fin bool
			pn  int
		}
		var flying []flight
		credit := uint64(0)
		for pn := 0; !(h.finVal.received() && h.ackedTo == size); pn++ {
			if pn > 100_000 {
				t.Fatalf("seed %d: no end: %+v", seed, h)
			}
			if b.end < size {
				n := min(uint64(r.IntN(20_000)), size-b.end)
				if _, err := b.Write(text(b.end, int(n))); err != nil {
					t.Fatal(err)
				}
				credit += n
			} else if err := b.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			h.end, h.fin = b.written()
			if c, fin, ok := h.chunk(credit); ok {
				if n := uint64(1 + r.IntN(1400)); c.end-c.start > n {
					c.end, fin = c.start+n, false
				}
				data := b.appendTo(nil, c.start, int(c.end-c.start))
				for i, x := range data {
					if x != textAt(c.start+uint64(i)) {
						t.Fatalf("seed %d: byte %d is %#x", seed, c.start+uint64(i), x)
					}
				}
				fresh := h.sent(c, fin, wire.PacketNumber(pn))
				credit -= fresh
				b.setSent(h.next)
				flying = append(flying, flight{c, fin, pn})
			}
			for len(flying) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(flying))
				x := flying[i]
				flying = append(flying[:i], flying[i+1:]...)
				got := fate(r.IntN(3) > 0)
				h.settle(x.r.start, x.r.end, x.fin, wire.PacketNumber(x.pn), got)
				if got == acked {
					for o := x.r.start; o < x.r.end; o++ {
						arrived[o] = true
					}
					b.release(h.ackedTo)
				}
				for _, s := range h.sets() {
					if err := s.check(); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				if h.ackedTo < size && arrived[h.ackedTo] {
					t.Fatalf("seed %d: acknowledged up to %d, more arrived", seed, h.ackedTo)
				}
			}
		}
		if !allTrue(arrived) || held(&b.data) != 0 {
			t.Fatalf("seed %d: all arrived %v, %d blocks are kept", seed, allTrue(arrived), held(&b.data))
		}
	}
}

// A writer that is ahead is told to wait, and woken when half is sent.
func TestSendBufferLimit(t *testing.T) {
	var b SendBuffer
	if n, err := b.Write(make([]byte, maxStreamUnsent+100)); n != maxStreamUnsent || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.Write([]byte{1}); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if b.setSent(maxStreamUnsent/2 - 1) {
		t.Fatal("woken early")
	}
	if !b.setSent(maxStreamUnsent/2) || b.setSent(maxStreamUnsent/2+1) {
		t.Fatal("not woken, or twice")
	}
	if n, err := b.Write(make([]byte, maxStreamUnsent)); n != maxStreamUnsent/2+1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.Write([]byte{1}); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.WriteLast([]byte{1, 2}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := b.Write([]byte{1}); err != ErrWriteClosed {
		t.Fatal(err)
	}
	if err := b.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("wrong")
	b.fail(wrong)
	b.fail(io.EOF)
	if _, err := b.Write(nil); err != wrong || b.Err() != wrong || b.CloseWrite() != wrong || held(&b.data) != 0 {
		t.Fatalf("%v, %d blocks are kept", err, held(&b.data))
	}
}

// A reset leaves what was marked until it is acknowledged.
func TestSendBufferMark(t *testing.T) {
	var b SendBuffer
	b.Write(text(0, 100))
	b.MarkReliable()
	b.Write(text(100, 3*blockSize))
	wrong := errors.New("wrong")
	b.failKeeping(b.end, wrong)
	if got := b.appendTo(nil, 0, 100); string(got) != string(text(0, 100)) {
		t.Fatal("what was marked is gone")
	}
	if _, err := b.Write([]byte{1}); err != wrong {
		t.Fatal(err)
	}
	b.fail(io.EOF)
	if held(&b.data) != 0 || b.Err() != wrong {
		t.Fatalf("%d blocks are kept, error %v", held(&b.data), b.Err())
	}
}
