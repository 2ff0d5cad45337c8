package http3

import (
	"io"

	"github.com/godwit-quic/godwit/internal/h3"
)

// AppendCapsule appends a capsule of type t (RFC 9297, Section 3.2), to be written to a
// Tunnel. t is below 2^62.
func AppendCapsule(b []byte, t uint64, value []byte) []byte {
	return h3.AppendCapsule(b, h3.CapsuleType(t), value)
}

// CapsuleReader reads capsules (RFC 9297, Section 3.2) from a Tunnel, or from anything
// else that carries them, for protocols of one's own: package webtransport has its own. One
// goroutine at a time may use it.
type CapsuleReader struct {
	r      io.Reader
	parser h3.CapsuleReader
	rest   []byte // of buf, not yet parsed
	buf    [2048]byte
}

// NewCapsuleReader returns a reader. limit is called with the type of each capsule, and says
// how many bytes its value may have; with a negative limit it is skipped, without being
// stored. Protocols must skip types that they do not know (RFC 9297, Section 3.3). A
// datagram that is longer than its limit is skipped, too (Section 3.5).
func NewCapsuleReader(r io.Reader, limit func(t uint64) int) *CapsuleReader {
	parser := h3.NewCapsuleReader(func(t h3.CapsuleType) int { return limit(uint64(t)) })
	return &CapsuleReader{r: r, parser: parser}
}

// Next returns the next capsule that is not skipped. The value is valid until the
// next call. The error is that of the reader below, io.EOF after the last capsule,
// or an *Error when a capsule is larger than its limit or not complete.
func (c *CapsuleReader) Next() (t uint64, value []byte, err error) {
	for {
		for len(c.rest) > 0 {
			capsule, ok, n, err := c.parser.Next(c.rest)
			c.rest = c.rest[n:]
			if err != nil {
				return 0, nil, describe(err)
			}
			if ok {
				return uint64(capsule.Type), capsule.Value, nil
			}
		}
		n, err := c.r.Read(c.buf[:])
		c.rest = c.buf[:n]
		switch {
		case n > 0:
		case err == io.EOF:
			return 0, nil, cmpErr(describe(c.parser.Finish()), io.EOF)
		case err != nil:
			return 0, nil, err
		}
	}
}
