package http3

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// body is the content of a message as it arrives, an io.ReadCloser. It reads the
// stream right into the caller's buffer and takes the frames' headers out there,
// so that content is copied no more often than needed.
//
// Close may be called while another goroutine reads.
type body struct {
	conn     *conn
	stream   *quic.Stream // nil while it is the loop's
	reader   h3.MessageReader
	owner    bodyOwner
	paced    *exchange        // at a server, when the client has a minimum rate
	sections qpack.ReadStream // those of the stream
	whole    bool             // there is nothing but the header section, which has been decoded
	ended    bool             // the stream ends with pending; guarded by mu

	mu      sync.Mutex // held while reading
	pending []byte     // of the stream, read along with the header section
	blocked []byte     // a trailer section that waits for insertions
	err     error      // what every further Read returns

	complete atomic.Bool // read to its end, or failed
	closed   atomic.Bool
}

// bodyOwner is the request or response a body belongs to.
type bodyOwner interface {
	// handleTrailers is called with the trailers, before Read returns io.EOF.
	handleTrailers(fields []qpack.Field)
	// handleBodyEnd is called once, when the end was read or reading failed
	// (err is not io.EOF then), and returns the error for Read to return.
	handleBodyEnd(err error) error
	// closeCode is what the sender is told when the body is closed early.
	closeCode() h3.ErrorCode
}

// Read reads content. It returns io.EOF once the message was complete.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	if len(p) == 0 {
		return 0, b.err
	}
	for b.err == nil {
		if b.blocked != nil {
			if err := b.readBlocked(); isDeadline(err) {
				return 0, err
			} else if err != nil {
				b.finish(err)
				break
			}
		}
		n, err := b.readStream(p)
		n, frameErr := b.deframe(p[:n])
		switch {
		case frameErr != nil:
			b.finish(frameErr)
		case err == io.EOF:
			b.finish(cmpErr(b.reader.Finish(), io.EOF))
		case isDeadline(err):
			return n, err
		case err != nil:
			b.finish(err)
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, b.err
}

// isDeadline reports whether err is that of a read deadline: reading can go on
// with a later one.
func isDeadline(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }

// cmpErr returns the first of two errors that is not nil.
func cmpErr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func (b *body) finish(err error) {
	if b.err == nil {
		b.complete.Store(true)
		if err != io.EOF {
			b.abandonSections()
		}
		b.err = b.owner.handleBodyEnd(err)
		b.pending, b.blocked = nil, nil
	}
}

// readStream reads bytes of the stream, frames' headers included.
func (b *body) readStream(p []byte) (int, error) {
	if len(b.pending) > 0 {
		n := copy(p, b.pending)
		b.pending = b.pending[n:]
		return n, nil
	}
	if b.ended {
		return 0, io.EOF
	}
	if b.paced != nil {
		return b.paced.read(p)
	}
	return b.stream.Read(p)
}

// deframe moves the content in p, bytes of the stream, to its beginning and
// returns its length.
func (b *body) deframe(p []byte) (n int, err error) {
	for rest := p; len(rest) > 0; {
		piece, used, err := b.reader.Next(rest)
		if err != nil {
			return n, err
		}
		rest = rest[used:]
		switch piece.Kind {
		case h3.PieceData:
			n += copy(p[n:], piece.Bytes)
		case h3.PieceTrailers:
			if err := b.takeTrailers(piece.Bytes); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// Close ends reading. What has not been read is not wanted.
func (b *body) Close() error {
	if b.closed.CompareAndSwap(false, true) && !b.complete.Load() {
		b.stream.CancelRead(uint64(b.owner.closeCode()))
		b.abandon()
		// A Read under way returns now; the end is reported exactly once.
		b.mu.Lock()
		defer b.mu.Unlock()
		b.finish(http.ErrBodyReadAfterClose)
	}
	return nil
}

// checkEnd looks at what has arrived with the header section, when that is all
// of the message, without a reader having asked for it: a message that ends
// before its Content-Length says so is malformed even when nobody reads it.
// When somebody is reading right now, it is left to that reader.
func (b *body) checkEnd() error {
	if b.whole || !b.mu.TryLock() {
		return nil
	}
	defer b.mu.Unlock()
	if !b.ended || b.err != nil {
		return nil
	}
	var sink [512]byte
	for b.err == nil {
		n, err := b.readStream(sink[:])
		if _, frameErr := b.deframe(sink[:n]); frameErr != nil {
			b.finish(frameErr)
		} else if b.blocked != nil {
			return nil // to wait for what nobody reads is no use
		} else if err != nil {
			b.finish(cmpErr(b.reader.Finish(), err))
		}
	}
	if b.err == io.EOF {
		return nil
	}
	return b.err
}
