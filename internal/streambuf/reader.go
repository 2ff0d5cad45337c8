package streambuf

import "io"

// Reader is the application's end of a RecvBuffer. Any goroutine may use it, but only
// one at a time may read.
type Reader struct{ recvState }

// Read takes the next bytes in order. It returns 0 and nil when there are
// none now, io.EOF at the end of the stream, and the error that ended it
// otherwise.
func (r *Reader) Read(p []byte) (n int, err error) {
	r.mu.Lock()
	r.reader = true
	for n < len(p) && !r.failed() && r.read+uint64(n) < r.available() {
		off := r.read + uint64(n)
		src := r.data.at(off)
		src = src[:min(uint64(len(src)), r.available()-off)]
		r.mu.Unlock()
		n += copy(p[n:], src) // nobody writes below ready
		r.mu.Lock()
	}
	r.reader = false
	if r.failed() {
		r.drop()
		r.mu.Unlock()
		return 0, r.cut.err
	}
	r.advance(r.read + uint64(n))
	switch {
	case n > 0:
	case r.cut != nil && r.read >= r.cut.at:
		err = r.cut.err
	case r.fin && r.read == r.size:
		err = io.EOF
	}
	r.mu.Unlock()
	return n, err
}

// Err returns the error with which Read will end before the end of the stream,
// perhaps after more bytes, or nil.
func (r *Reader) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cut == nil {
		return nil
	}
	return r.cut.err
}

// Discarded returns how many bytes the peer has sent on the stream that will never
// be read. known is false while that may change: reading goes on, or the stream's
// final size is not known (RFC 9000, Section 4.5).
func (r *Reader) Discarded() (n uint64, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sized || !r.failed() && !r.readAll() {
		return 0, false
	}
	return r.size - r.read, true
}

// Consumed reports whether the owner of the buffer should be told that bytes were
// read: enough for a flow control update, or the last.
func (r *Reader) Consumed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.read >= r.notify || r.readAll() || r.account.ReportDue()
}
