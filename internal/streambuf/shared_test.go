package streambuf

import (
	"errors"
	"io"
	"runtime"
	"testing"
)

// TestRecvBufferShared reads in one goroutine while the engine inserts in
// another; the race detector watches.
func TestRecvBufferShared(t *testing.T) {
	const size = 40 * BlockSize
	b := newRecvBuffer()
	done := make(chan error)
	go func() {
		p := make([]byte, 3000)
		for at := uint64(0); ; {
			n, err := b.Reader().Read(p)
			for i, c := range p[:n] {
				if c != textAt(at+uint64(i)) {
					done <- errors.New("wrong byte")
					return
				}
			}
			at += uint64(n)
			switch {
			case err == io.EOF && at == size:
				done <- nil
				return
			case err != nil:
				done <- err
				return
			case n == 0:
				runtime.Gosched()
			}
			b.Reader().Consumed()
		}
	}()
	const piece = 1100
	for off := uint64(0); off < size; off += 2 * piece { // pairs, the second first
		for _, at := range []uint64{off + piece, off} {
			if at < size {
				n := min(piece, size-at)
				b.Insert(at, text(at, int(n)), at+n == size)
			}
		}
		b.SetNotify(off)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestRecvBufferFailsWhileReading: an error set while Read copies neither
// takes the bytes away under its hands nor keeps memory.
func TestRecvBufferFailsWhileReading(t *testing.T) {
	wrong := errors.New("wrong")
	for range 200 {
		b := newRecvBuffer()
		b.Insert(0, text(0, 4*BlockSize), false)
		done := make(chan uint64)
		go func() {
			p := make([]byte, 10_000)
			at := uint64(0)
			for {
				n, err := b.Reader().Read(p)
				for i, c := range p[:n] {
					if c != textAt(at+uint64(i)) {
						t.Error("wrong byte")
					}
				}
				at += uint64(n)
				if err != nil {
					done <- at
					return
				}
				runtime.Gosched()
			}
		}()
		runtime.Gosched()
		read := b.Fail(wrong)
		if at := <-done; at != read {
			t.Fatalf("read %d bytes, the engine thinks %d", at, read)
		}
		if b.data.kept != 0 {
			t.Fatalf("%d blocks are kept", b.data.kept)
		}
	}
}

// TestSendBufferShared writes in one goroutine while the engine takes and
// releases in another.
func TestSendBufferShared(t *testing.T) {
	const size = 100 * BlockSize
	b := newSendBuffer()
	go func() {
		for at := uint64(0); at < size; {
			n, err := b.Writer().Write(text(at, int(min(5000, size-at))))
			if err != nil {
				t.Error(err)
				return
			}
			if at += uint64(n); n == 0 {
				runtime.Gosched()
			}
		}
		if err := b.Writer().CloseWrite(); err != nil {
			t.Error(err)
		}
	}()
	var buf []byte
	for at := uint64(0); ; {
		end, fin := b.Written()
		if at == end && fin {
			break
		}
		n := int(min(1200, end-at))
		buf = b.AppendTo(buf[:0], at, n)
		for i, c := range buf {
			if c != textAt(at+uint64(i)) {
				t.Fatalf("byte %d is wrong", at+uint64(i))
			}
		}
		at += uint64(n)
		b.SetSent(at)
		b.Acknowledge(at)
		if n == 0 {
			runtime.Gosched()
		}
	}
	if end, _ := b.Written(); end != size || b.data.kept != 0 {
		t.Fatalf("%d bytes, %d blocks are kept", end, b.data.kept)
	}
}
