package h3

import "github.com/godwit-quic/godwit/internal/wire"

// varintReader reads one variable-length integer from a stream and not a byte
// beyond it: what follows may belong to somebody else. The zero value has read
// nothing.
type varintReader struct {
	b [8]byte
	n int // bytes in b
}

// tryReader is a stream that is read without waiting: 0 and nil when nothing is
// there.
type tryReader interface {
	TryRead(p []byte) (int, error)
}

// Read reads what has arrived. It reports false and no error while more is
// needed. The error is the stream's, io.EOF if it ends too early.
func (r *varintReader) Read(s tryReader) (v uint64, ok bool, err error) {
	for {
		want := 1
		if r.n > 0 {
			want = 1 << (r.b[0] >> 6)
		}
		if r.n == want {
			v, _ = wire.ConsumeVarint(r.b[:want])
			return v, true, nil
		}
		n, err := s.TryRead(r.b[r.n:want])
		if n == 0 {
			return 0, false, err
		}
		r.n += n
	}
}

// Bytes returns the integer in the form it came in.
func (r *varintReader) Bytes() []byte { return r.b[:r.n] }
