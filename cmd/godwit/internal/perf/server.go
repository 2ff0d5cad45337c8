package perf

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// maxServerStreams is how many streams a client may have open. Each keeps a few
// bytes of state.
const maxServerStreams = 1024

// Listen listens for Serve, on a UDP address as quic.Listen does, with what tconf says of
// sockets and conf of connections, or the defaults for nil. The NextProtos of tlsConf must
// have ALPN. Connections are event-driven: streams are answered on their loops'
// goroutines.
func Listen(addr string, tlsConf *tls.Config, tconf *quic.TransportConfig, conf *quic.Config) (*quic.Listener, error) {
	conf = WithWindow(conf, 0)
	conf.MaxIncomingStreams = maxServerStreams
	conf.MaxIncomingUniStreams = -1 // the protocol has none
	return event.Listen(addr, tconf, tlsConf, conf, func(event.Turn) event.Handler { return responder{} })
}

// Serve serves the clients of a listener made with Listen until ctx ends or
// the listener is closed. It then closes the listener's transport, and with it all
// connections, and returns nil. Any other end of the listener is an error.
func Serve(ctx context.Context, ln *quic.Listener) error {
	defer ln.Transport().Close()
	_, err := ln.Accept(ctx)
	switch {
	case err == nil:
		return errors.New("perf: the listener was not made with Listen of this package")
	case ctx.Err() != nil || errors.Is(err, quic.ErrClosed):
		return nil
	}
	return err
}

// responder serves a connection.
type responder struct{}

// HandleStream implements event.Handler.
func (responder) HandleStream(event.Turn, event.Stream) event.StreamHandler { return new(response) }

// HandleClose implements event.Handler.
func (responder) HandleClose(event.Turn, error) {}

// HandleTurn implements event.TurnHandler: there are no goroutines.
func (responder) HandleTurn(event.Turn) bool { return false }

// response is what a stream is answered with.
type response struct {
	header [headerLen]byte
	got    int    // bytes of header
	asked  bool   // the request is complete
	left   uint64 // bytes to be written
}

// HandleReadable reads the request as far as it has arrived.
func (r *response) HandleReadable(t event.Turn, s event.Stream) {
	err := readAll(t, s, func(b []byte) bool {
		r.got += copy(r.header[r.got:], b)
		return true
	})
	switch {
	case err == io.EOF && r.got == headerLen:
		r.asked, r.left = true, binary.BigEndian.Uint64(r.header[:])
		r.HandleWritable(t, s)
	case err != nil: // the client has cut the stream off, or the request is too short
		s.CancelRead(cancelCode)
		s.CancelWrite(cancelCode)
	}
}

// HandleEnd implements event.StreamHandler.
func (r *response) HandleEnd(t event.Turn, s event.Stream, end event.End) { releaseEnded(t, s, end) }

// releaseEnded gives the memory of a stream back that has ended.
func releaseEnded(t event.Turn, s event.Stream, end event.End) {
	if end.Kind == event.StreamEnded {
		t.Release(s)
	}
}

// HandleWritable answers as far as there is room.
func (r *response) HandleWritable(t event.Turn, s event.Stream) {
	if !r.asked {
		return
	}
	n, err := writeZeros(t, s, r.left)
	r.left -= n
	switch {
	case err != nil:
		s.CancelWrite(cancelCode)
	case r.left == 0:
		_, _ = t.WriteLast(s, nil) // doing so again does no harm
	}
}

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// readAll gives what has arrived to piece, until that returns false. The error is
// io.EOF at the end of the stream, nil when more may come.
func readAll(t event.Turn, s event.Stream, piece func([]byte) bool) error {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := t.Read(s, buf[:])
		if n == 0 || err != nil || !piece(buf[:n]) {
			return err
		}
	}
}

// writeZeros writes up to n bytes, as many as there is room for.
func writeZeros(t event.Turn, s event.Stream, n uint64) (written uint64, err error) {
	for written < n {
		piece := min(n-written, bufferSize)
		k, err := t.Write(s, zeros[:piece])
		written += uint64(k)
		if err != nil || uint64(k) < piece {
			return written, err
		}
	}
	return written, nil
}
