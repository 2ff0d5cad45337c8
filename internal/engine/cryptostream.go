package engine

import (
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// Bounds on handshake bytes that arrived out of order, during and after the
// handshake (RFC 9000, Section 7.5 asks for at least 4096 bytes). A flight
// with a long certificate chain fits; a hoarder of fragments does not.
const (
	maxCryptoBuffer = 64 << 10
	// maxInitialCryptoBuffer is the same for Initial packets, which anybody can
	// send: a hello with post-quantum keys has two kilobytes.
	maxInitialCryptoBuffer = 16 << 10
	// maxLateCryptoBuffer is the same for a server after the handshake, when a client
	// has nothing to say but what is refused: as much as must be taken, behind a hole as
	// large.
	maxLateCryptoBuffer = 8 << 10
	maxCryptoGaps       = 64
)

// cryptoStream is the stream of handshake bytes of one packet number space,
// both directions. It has no flow control and no end.
type cryptoStream struct {
	*cryptoBuffers        // nil while there is nothing to keep
	inAt           uint64 // offset of the next byte for TLS
	outAt          uint64 // bytes below are acknowledged
	next           uint64 // offset of the next byte never sent
}

// cryptoBuffers are the bytes of a cryptoStream that are on their way.
type cryptoBuffers struct {
	in     []byte             // bytes from offset inAt on, with holes
	got    streambuf.RangeSet // bytes present in in
	out    []byte             // bytes from offset outAt on, not all acknowledged
	acked  streambuf.RangeSet
	resend streambuf.RangeSet // sent and lost
}

// use makes the buffers if there are none.
func (s *cryptoStream) use() {
	if s.cryptoBuffers == nil {
		s.cryptoBuffers = new(cryptoBuffers)
	}
}

// trim gives back buffers that hold nothing.
func (s *cryptoStream) trim() {
	if b := s.cryptoBuffers; b != nil && len(b.in) == 0 && len(b.out) == 0 {
		s.cryptoBuffers = nil
	}
}

// receive stores data that arrived at offset off, up to limit bytes beyond what
// TLS has taken.
func (s *cryptoStream) receive(off uint64, data []byte, limit uint64) *TransportError {
	end := off + uint64(len(data))
	if end <= s.inAt {
		return nil
	}
	if end-s.inAt > limit {
		return protocolError(wire.CryptoBufferExceeded, wire.FrameCrypto, "too many handshake bytes out of order")
	}
	if off < s.inAt {
		data, off = data[s.inAt-off:], s.inAt
	}
	s.use()
	if need := int(end - s.inAt); need > len(s.in) {
		s.in = append(s.in, make([]byte, need-len(s.in))...)
	}
	copy(s.in[off-s.inAt:], data)
	s.got.Add(off, end)
	if len(s.got) > maxCryptoGaps {
		return protocolError(wire.CryptoBufferExceeded, wire.FrameCrypto, "too many fragments of handshake bytes")
	}
	return nil
}

// direct returns the part of data, which arrived at offset off, that TLS can have
// without its being stored first, as is usual. It returns nothing when other bytes
// wait or have to come before.
func (s *cryptoStream) direct(off uint64, data []byte) []byte {
	end := off + uint64(len(data))
	if off > s.inAt || end <= s.inAt || s.cryptoBuffers != nil && len(s.in) > 0 {
		return nil
	}
	return data[s.inAt-off:]
}

// took reports whether TLS has had all of n bytes at offset off.
func (s *cryptoStream) took(off uint64, n int) bool { return n > 0 && off+uint64(n) <= s.inAt }

// waits reports whether bytes are stored that TLS has not taken.
func (s *cryptoStream) waits() bool { return s.cryptoBuffers != nil && len(s.in) > 0 }

// take returns the stored bytes that TLS can have now.
func (s *cryptoStream) take() []byte {
	if s.cryptoBuffers == nil {
		return nil
	}
	return s.in[:s.got.Contiguous(s.inAt)-s.inAt]
}

// consume drops n bytes that TLS has taken.
func (s *cryptoStream) consume(n int) {
	s.inAt += uint64(n)
	if s.cryptoBuffers == nil || len(s.in) == 0 {
		return // they came directly
	}
	s.got.Sub(0, s.inAt)
	s.in = s.in[n:]
	if len(s.in) == 0 {
		s.in = nil
	}
}

// write appends bytes to be sent, and keeps them.
func (s *cryptoStream) write(data []byte) {
	s.use()
	if len(s.out) == 0 {
		s.out = data
		return
	}
	s.out = append(s.out, data...)
}

// pending returns the range to be sent next, empty when there is none.
func (s *cryptoStream) pending() streambuf.Range {
	if s.cryptoBuffers == nil {
		return streambuf.Range{Start: s.next, End: s.next}
	}
	if len(s.resend) > 0 {
		return s.resend[0]
	}
	return streambuf.Range{Start: s.next, End: s.outAt + uint64(len(s.out))}
}

// bytes returns n bytes to be sent at off.
func (s *cryptoStream) bytes(off uint64, n int) []byte {
	return s.out[off-s.outAt:][:n]
}

// sent tells that [off, off+n) went out.
func (s *cryptoStream) sent(off uint64, n int) {
	end := off + uint64(n)
	s.resend.Sub(off, end)
	s.next = max(s.next, end)
}

// settle takes the fate of [off, off+n).
func (s *cryptoStream) settle(off uint64, n int, f fate) {
	end := off + uint64(n)
	if s.cryptoBuffers == nil {
		return // acknowledged before, in another packet
	}
	if f == lost {
		s.resend.AddExcept(max(off, s.outAt), end, s.acked)
		return
	}
	s.acked.Add(off, end)
	s.resend.Sub(off, end)
	if front := s.acked.Contiguous(s.outAt); front > s.outAt {
		s.out = s.out[front-s.outAt:]
		s.outAt = front
		s.acked.Sub(0, front)
		if len(s.out) == 0 {
			s.out = nil
		}
	}
}
