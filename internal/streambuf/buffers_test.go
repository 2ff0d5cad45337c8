package streambuf

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
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

func newAccount() *Account {
	a := new(Account)
	a.Init(new(Pool))
	a.SetLimits(1<<40, 1<<40)
	a.SetReportAfter(1 << 40)
	return a
}

func newRecvBuffer() *RecvBuffer {
	b := new(RecvBuffer)
	b.Init(newAccount())
	b.SetNotify(1 << 40)
	return b
}

func newSendBuffer() *SendBuffer {
	b := new(SendBuffer)
	b.Init(newAccount(), 1<<40)
	return b
}

// buffered returns how many bytes can be read now.
func buffered(b *RecvBuffer) int {
	from, to := b.Readable()
	return int(to - from)
}

// readText reads what can be read now, in random pieces, and checks it.
func readText(t *testing.T, r *rand.Rand, b *RecvBuffer, at uint64) (uint64, error) {
	t.Helper()
	p := make([]byte, 1+r.IntN(50_000))
	for {
		n, err := b.Reader().Read(p[:1+r.IntN(len(p))])
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
		size := uint64(r.IntN(4 * BlockSize))
		b := newRecvBuffer()
		arrived := make([]bool, size)
		read, front := uint64(0), uint64(0)
		for front < size {
			off := uint64(r.Int64N(int64(size)))
			if r.IntN(3) == 0 {
				off = front
			}
			n := min(1+r.Uint64N(1+size/4), size-off)
			if seed%3 > 0 && r.IntN(100) > 0 {
				n = min(n, 1+r.Uint64N(200))
			}
			for i := range n {
				arrived[off+i] = true
			}
			for front < size && arrived[front] {
				front++
			}
			readable, ok := b.Insert(off, text(off, int(n)), off+n == size && r.IntN(2) == 0)
			if !ok {
				t.Fatalf("seed %d: too many pieces", seed)
			}
			if got := buffered(b); uint64(got) != front-read {
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
		b.Insert(size, nil, true)
		if !b.Received() {
			t.Fatalf("seed %d: not received", seed)
		}
		if at, err := readText(t, r, b, read); at != size || err != io.EOF {
			t.Fatalf("seed %d: ended at %d of %d with %v", seed, at, size, err)
		}
		if n := b.account.unreported.Load(); uint64(n) != size {
			t.Fatalf("seed %d: %d bytes count as read, want %d", seed, n, size)
		}
		if b.held() != 0 || b.account.received.Load() != 0 {
			t.Fatalf("seed %d: %d bytes are kept, %d are counted", seed, b.held(), b.account.received.Load())
		}
	}
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
		{"a hole", func(b *RecvBuffer) { b.Insert(1, text(1, 5), true) }, 0, nil},
		{"empty stream", func(b *RecvBuffer) { b.Insert(0, nil, true) }, 0, io.EOF},
		{"data before FIN", func(b *RecvBuffer) { b.Insert(0, text(0, 3), true) }, 3, nil},
		{"FIN before data", func(b *RecvBuffer) { b.Insert(3, nil, true); b.Insert(0, text(0, 3), false) }, 3, nil},
		{"failed", func(b *RecvBuffer) { b.Insert(0, text(0, 3), false); b.Fail(wrong) }, 0, wrong},
		{"failed twice", func(b *RecvBuffer) { b.Fail(wrong); b.Fail(io.ErrClosedPipe) }, 0, wrong},
		{"failed after all was read", func(b *RecvBuffer) { b.Insert(0, nil, true); b.Fail(wrong) }, 0, io.EOF},
		{"connection ended, all there", func(b *RecvBuffer) { b.Insert(0, text(0, 3), true); b.FailAfterReceived(wrong) }, 3, nil},
		{"connection ended, not all there", func(b *RecvBuffer) { b.Insert(0, text(0, 3), false); b.FailAfterReceived(wrong) }, 3, nil},
		{"data after failure", func(b *RecvBuffer) { b.Fail(wrong); b.Insert(0, text(0, 3), false) }, 0, wrong},
		{"cut within", func(b *RecvBuffer) { b.Insert(0, text(0, 9), false); b.FailAt(4, wrong) }, 4, nil},
		{"cut after failure", func(b *RecvBuffer) { b.Fail(wrong); b.FailAt(4, io.ErrClosedPipe) }, 0, wrong},
		{"cut at the beginning", func(b *RecvBuffer) { b.Insert(0, text(0, 9), false); b.FailAt(0, wrong) }, 0, wrong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newRecvBuffer()
			tt.do(b)
			if n, err := b.Reader().Read(p); n != tt.n || err != tt.err {
				t.Fatalf("Read returns %d, %v, want %d, %v", n, err, tt.n, tt.err)
			}
		})
	}
}

// After the connection's end, reading goes on to the end of what arrived.
func TestRecvBufferConnectionEnd(t *testing.T) {
	wrong := errors.New("wrong")
	b := newRecvBuffer()
	b.Insert(0, text(0, 3), false)
	b.Insert(5, text(5, 3), true) // never to be reached
	b.FailAfterReceived(wrong)
	p := make([]byte, 2)
	for _, want := range []struct {
		n   int
		err error
	}{{2, nil}, {1, nil}, {0, wrong}, {0, wrong}} {
		if n, err := b.Reader().Read(p); n != want.n || err != want.err {
			t.Fatalf("Read returns %d, %v, want %d, %v", n, err, want.n, want.err)
		}
	}
}

// Too many gaps are refused; what fills them is welcome.
func TestRecvBufferGaps(t *testing.T) {
	b := newRecvBuffer()
	for i := range uint64(MaxGaps) {
		if _, ok := b.Insert(1+2*i, []byte{textAt(1 + 2*i)}, false); !ok {
			t.Fatalf("gap %d is too many", i)
		}
	}
	if _, ok := b.Insert(1+2*MaxGaps, []byte{0}, false); ok {
		t.Fatal("no end to the gaps")
	}
	b = newRecvBuffer()
	for i := range uint64(MaxGaps) {
		b.Insert(1+2*i, []byte{textAt(1 + 2*i)}, false)
	}
	if readable, ok := b.Insert(0, text(0, 2*MaxGaps), false); !readable || !ok || buffered(b) != 2*MaxGaps {
		t.Fatalf("filled: readable %v, %v, %d bytes", readable, ok, buffered(b))
	}
}

// Consumed tells the reader when the engine should hear of its progress.
func TestRecvBufferConsumed(t *testing.T) {
	b := newRecvBuffer()
	b.SetNotify(5)
	b.Insert(0, text(0, 20), true)
	p := make([]byte, 20)
	for i, n := range []int{4, 1, 3} {
		if _, err := b.Reader().Read(p[:n]); err != nil {
			t.Fatal(err)
		}
		if got, want := b.Reader().Consumed(), i > 0; got != want {
			t.Fatalf("after read %d: %v", i, got)
		}
	}
	b.SetNotify(1000)
	if b.Reader().Consumed() {
		t.Fatal("told again")
	}
	b.account.threshold.Store(8) // another stream's readers count too
	if !b.Reader().Consumed() {
		t.Fatal("the connection's window is not thought of")
	}
	b.account.threshold.Store(1 << 40)
	if _, err := b.Reader().Read(p); err != nil || !b.Reader().Consumed() {
		t.Fatal("the end is not told of")
	}
}

// A writer that is ahead is told to wait, and woken when half is sent.
func TestSendBufferLimit(t *testing.T) {
	b := newSendBuffer()
	if n, err := b.Writer().Write(make([]byte, MaxStreamUnsent+100)); n != MaxStreamUnsent || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.Writer().Write([]byte{1}); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if b.SetSent(MaxStreamUnsent/2 - 1) {
		t.Fatal("woken early")
	}
	if !b.SetSent(MaxStreamUnsent/2) || b.SetSent(MaxStreamUnsent/2+1) {
		t.Fatal("not woken, or twice")
	}
	if n, err := b.Writer().Write(make([]byte, MaxStreamUnsent)); n != MaxStreamUnsent/2+1 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.Writer().Write([]byte{1}); n != 0 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := b.Writer().WriteLast([]byte{1, 2}); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	if _, err := b.Writer().Write([]byte{1}); err != ErrWriteClosed {
		t.Fatal(err)
	}
	if err := b.Writer().CloseWrite(); err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("wrong")
	b.Fail(wrong)
	b.Fail(io.EOF)
	if _, err := b.Writer().Write(nil); err != wrong || b.Writer().Err() != wrong || b.Writer().CloseWrite() != wrong || b.data.kept != 0 {
		t.Fatalf("%v, %d blocks are kept", err, b.data.kept)
	}
}

// A reset leaves what was marked until it is acknowledged.
func TestSendBufferMark(t *testing.T) {
	b := newSendBuffer()
	b.Writer().Write(text(0, 100))
	b.Writer().MarkReliable()
	b.Writer().Write(text(100, 3*BlockSize))
	wrong := errors.New("wrong")
	b.FailKeeping(b.end, wrong)
	if got := b.AppendTo(nil, 0, 100); string(got) != string(text(0, 100)) {
		t.Fatal("what was marked is gone")
	}
	if _, err := b.Writer().Write([]byte{1}); err != wrong {
		t.Fatal(err)
	}
	b.Fail(io.EOF)
	if b.data.kept != 0 || b.Writer().Err() != wrong {
		t.Fatalf("%d blocks are kept, error %v", b.data.kept, b.Writer().Err())
	}
}

// TestRecycledBuffersDoNotAllocate: what a stream of a few blocks needs of memory is its
// predecessor's.
func TestRecycledBuffersDoNotAllocate(t *testing.T) {
	recv, send, account := new(RecvBuffer), new(SendBuffer), newAccount()
	content, buf := make([]byte, 3*BlockSize), make([]byte, 4*BlockSize)
	if n := testing.AllocsPerRun(100, func() {
		recv.Init(account)
		recv.Insert(0, content, true)
		if n, err := recv.Reader().Read(buf); n != len(content) || err != nil && err != io.EOF {
			t.Fatalf("read %d bytes, %v", n, err)
		}
		recv.Recycle()
		send.Init(account, 1<<40)
		if n, err := send.Writer().WriteLast(content); n != len(content) || err != nil {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
		send.Recycle()
	}); n != 0 {
		t.Errorf("%v allocations for each stream", n)
	}
}
