package perf

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/godwit-quic/godwit/quic"
)

// maxServerStreams is how many streams a client may have open. Each keeps a few
// bytes of state.
const maxServerStreams = 1024

// ServerConfig returns a copy of conf, which may be nil, for the listener of a
// server. Its connections are event-driven: streams are answered on their loops'
// goroutines.
func ServerConfig(conf *quic.Config) *quic.Config {
	conf = WithWindow(conf, 0)
	conf.MaxIncomingStreams = maxServerStreams
	conf.MaxIncomingUniStreams = -1 // the protocol has none
	conf.NewHandler = func(*quic.Conn) quic.Handler { return responder{} }
	return conf
}

// Serve serves the clients of a listener made with ServerConfig until ctx ends or
// the listener is closed. It then closes the listener's transport, and with it all
// connections, and returns nil. Any other end of the listener is an error.
func Serve(ctx context.Context, ln *quic.Listener) error {
	defer ln.Transport().Close()
	_, err := ln.Accept(ctx)
	switch {
	case err == nil:
		return errors.New("perf: the listener was not made with ServerConfig")
	case ctx.Err() != nil || errors.Is(err, quic.ErrServerClosed):
		return nil
	}
	return err
}

// responder serves a connection.
type responder struct{}

// HandleStream implements quic.Handler.
func (responder) HandleStream(s *quic.Stream) { s.SetValue(new(response)) }

// HandleReadable implements quic.Handler.
func (responder) HandleReadable(s *quic.Stream) { s.Value().(*response).read(s) }

// HandleWritable implements quic.Handler.
func (responder) HandleWritable(s *quic.Stream) { s.Value().(*response).write(s) }

// HandleStreamsAvailable implements quic.Handler: a server opens none.
func (responder) HandleStreamsAvailable(*quic.Conn) {}

// HandleClose implements quic.Handler.
func (responder) HandleClose(*quic.Conn, error) {}

// Woke implements quic.Waker: there are no goroutines.
func (responder) Woke() bool { return false }

// response is what a stream is answered with.
type response struct {
	header [headerLen]byte
	got    int    // bytes of header
	asked  bool   // the request is complete
	left   uint64 // bytes to be written
}

// read reads the request as far as it has arrived.
func (r *response) read(s *quic.Stream) {
	err := readAll(s, func(b []byte) bool {
		r.got += copy(r.header[r.got:], b)
		return true
	})
	switch {
	case err == io.EOF && r.got == headerLen:
		r.asked, r.left = true, binary.BigEndian.Uint64(r.header[:])
		r.write(s)
	case err != nil: // the client has cut the stream off, or the request is too short
		s.CancelRead(cancelCode)
		s.CancelWrite(cancelCode)
	}
}

// write answers as far as there is room.
func (r *response) write(s *quic.Stream) {
	if !r.asked {
		return
	}
	n, err := writeZeros(s, r.left)
	r.left -= n
	switch {
	case err != nil:
		s.CancelWrite(cancelCode)
	case r.left == 0:
		_ = s.Close() // closing again does no harm
	}
}

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// readAll gives what has arrived to piece, until that returns false. The error is
// io.EOF at the end of the stream, nil when more may come.
func readAll(s *quic.Stream, piece func([]byte) bool) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := s.TryRead(buf[:])
		if n == 0 || err != nil || !piece(buf[:n]) {
			return err
		}
	}
}

// writeZeros writes up to n bytes, as many as there is room for.
func writeZeros(s *quic.Stream, n uint64) (written uint64, err error) {
	for written < n {
		piece := min(n-written, bufferSize)
		k, err := s.TryWrite(zeros[:piece])
		written += uint64(k)
		if err != nil || uint64(k) < piece {
			return written, err
		}
	}
	return written, nil
}
