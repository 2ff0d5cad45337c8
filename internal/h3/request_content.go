package h3

import (
	"bytes"
	"errors"
	"io"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// ErrBlocked is what Read returns of a RequestStream that is used elsewhere when
// trailers wait for insertions into the dynamic table: Handler.HandleUnblocked tells
// when to try again.
var ErrBlocked = errors.New("h3: trailers wait for insertions into the dynamic table")

// Read reads content, and takes the frames' headers out in place, so that it is copied
// no more often than needed. It returns 0 and nil when there is none now, and io.EOF
// once the message was complete and Trailers has its trailers. Any other error ends the
// stream, or the connection, as the protocol wants it, and is what every further Read
// returns; but for ErrBlocked, and for errors of the Stream that are ErrPaused.
func (rs *RequestStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, rs.err
	}
	for rs.err == nil {
		if rs.trailing != nil {
			if err := rs.retryTrailers(); err == ErrBlocked {
				return rs.blockedRead()
			} else if err != nil {
				rs.finish(err)
				break
			}
		}
		got, err := rs.readStream(p)
		n, frameErr := rs.deframe(p[:got])
		switch {
		case frameErr != nil:
			rs.finish(frameErr)
		case err == io.EOF:
			if rs.trailing != nil {
				rs.ended = true // to be found again
				break
			}
			if err := rs.reader.Finish(); err != nil {
				rs.finish(err)
			} else {
				rs.finish(io.EOF)
			}
		case err != nil && errors.Is(err, ErrPaused):
			return n, err
		case err != nil:
			rs.finish(err)
		case got == 0:
			return n, nil
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, rs.err
}

// blockedRead is what Read returns while trailers wait.
func (rs *RequestStream) blockedRead() (int, error) {
	if rs.elsewhere {
		return 0, ErrBlocked
	}
	return 0, nil
}

// TakeContent returns all of the message's content, which is the caller's then, if all of
// the message has arrived (Ended) and it is nothing but content after the header section.
// Otherwise it reports false, and Read is to be called, which tells what else there is.
func (rs *RequestStream) TakeContent() (content []byte, ok bool) {
	if !rs.ended || rs.err != nil || !rs.isPlain() {
		return nil, false
	}
	content, rs.early = rs.pending, nil
	n, _ := rs.deframe(content)
	rs.finish(io.EOF)
	return content[:n], true
}

// isPlain reports whether what has been read along with the header section is the rest of
// the message, and well-formed content. It looks with a copy of the reader.
func (rs *RequestStream) isPlain() bool {
	reader := rs.reader
	for rest := rs.pending; len(rest) > 0; {
		piece, used, err := reader.Next(rest)
		if err != nil || piece.Kind == PieceTrailers {
			return false
		}
		rest = rest[used:]
	}
	return reader.Finish() == nil
}

// Trailers returns the trailers, once Read has returned io.EOF.
func (rs *RequestStream) Trailers() []qpack.Field { return rs.trailers }

// finish ends reading.
func (rs *RequestStream) finish(err error) {
	rs.complete.Store(true)
	rs.err, rs.phase = err, phaseOver
	rs.pending, rs.trailing = nil, nil
	if err != io.EOF {
		rs.abandonSections()
		rs.punish(err)
	}
}

// readStream reads bytes of the stream, frames' headers included.
func (rs *RequestStream) readStream(p []byte) (int, error) {
	if len(rs.pending) > 0 {
		n := copy(p, rs.pending)
		rs.pending = rs.pending[n:]
		return n, nil
	}
	if rs.ended {
		return 0, io.EOF
	}
	return rs.stream.Read(p)
}

// deframe moves the content in p, bytes of the stream, to its beginning and returns its
// length.
func (rs *RequestStream) deframe(p []byte) (n int, err error) {
	for rest := p; len(rest) > 0; {
		piece, used, err := rs.reader.Next(rest)
		if err != nil {
			return n, err
		}
		rest = rest[used:]
		switch piece.Kind {
		case PieceData:
			n += copy(p[n:], piece.Bytes)
		case PieceTrailers:
			if err := rs.takeTrailers(piece.Bytes); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// takeTrailers decodes a trailer section, or keeps it for retryTrailers.
func (rs *RequestStream) takeTrailers(section []byte) error {
	sc := getScratch()
	defer sc.release()
	fields, err := rs.decode(sc, section, rs.reader.MaxSection())
	if err == qpack.ErrBlocked {
		rs.trailing = bytes.Clone(section)
		return nil
	}
	return rs.addTrailers(fields, err)
}

// retryTrailers decodes the trailer section that takeTrailers has kept. It returns
// ErrBlocked while that has to wait.
func (rs *RequestStream) retryTrailers() error {
	sc := getScratch()
	defer sc.release()
	table := rs.conn.state.Decoder()
	table.Unpark(&rs.sections)
	for {
		fields, err := rs.decode(sc, rs.trailing, rs.reader.MaxSection())
		if err != qpack.ErrBlocked {
			rs.trailing = nil
			return rs.addTrailers(fields, err)
		}
		parked, err := table.Park(&rs.sections, rs.trailing, rs)
		switch {
		case err == qpack.ErrAbandoned:
			return rs.whyAbandoned()
		case err != nil:
			return err
		case parked:
			rs.waited = true
			return ErrBlocked
		}
	}
}

func (rs *RequestStream) addTrailers(fields []qpack.Field, err error) error {
	if err == nil {
		err = rs.checkCount(len(fields))
	}
	if err == nil {
		err = ParseTrailers(fields)
	}
	if err == nil {
		rs.trailers = append(rs.trailers, fields...)
	}
	return err
}

// CheckEnd looks at what has come with the header section, when that is all of the
// message, without anybody having asked for it: a message that ends before its
// Content-Length says so is malformed even when nobody reads it. The error is Read's.
func (rs *RequestStream) CheckEnd() error {
	if rs.whole || !rs.ended {
		return nil
	}
	var sink [512]byte
	for {
		n, err := rs.Read(sink[:])
		switch {
		case err == io.EOF, err == ErrBlocked: // to wait for what nobody reads is no use
			return nil
		case n == 0:
			return err
		}
	}
}
