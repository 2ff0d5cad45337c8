package quic

import (
	"time"

	"github.com/godwit-quic/godwit/internal/face"
)

// Read reads up to len(p) bytes and waits until there is one. The error is
// io.EOF at the stream's end, a *StreamError if CancelRead was called or the peer
// cancelled the stream, after the bytes that had arrived in order before that,
// os.ErrDeadlineExceeded, or the connection's.
func (s *ReceiveStream) Read(p []byte) (int, error) {
	in := s.ref.Enter()
	if in == nil {
		return 0, face.ErrReleased
	}
	defer in.Leave()
	return in.Read(p)
}

// CancelRead tells the peer, with an application's code, that nothing more will
// be read (STOP_SENDING), and makes Read fail. What arrived and was not read is
// dropped. Calls after the first do nothing. A code of 1<<62 or more makes it
// panic.
func (s *ReceiveStream) CancelRead(code uint64) {
	face.CheckCode(code)
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.CancelRead(code)
	}
}

// SetReadDeadline sets the time after which Read, also one that waits already,
// fails with os.ErrDeadlineExceeded; zero means never. A later
// deadline makes reading possible again. The error is always nil.
func (s *ReceiveStream) SetReadDeadline(t time.Time) error {
	if in := s.ref.Enter(); in != nil {
		defer in.Leave()
		in.SetReadDeadline(t)
	}
	return nil
}
