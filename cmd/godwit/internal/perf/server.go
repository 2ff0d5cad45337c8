package perf

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"

	"github.com/godwit-quic/godwit/quic"
)

// maxServerStreams is how many streams a client may have open. Each has a
// goroutine and, while it uploads, a buffer.
const maxServerStreams = 1024

// ServerConfig returns a copy of conf, which may be nil, that suits a server.
func ServerConfig(conf *quic.Config) *quic.Config {
	conf = WithWindow(conf, 0)
	conf.MaxIncomingStreams = maxServerStreams
	conf.MaxIncomingUniStreams = -1 // the protocol has none
	return conf
}

// Serve answers clients until ctx ends or the listener is closed, then ends the
// connections and returns nil. Any other end of the listener is an error.
func Serve(ctx context.Context, ln *quic.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var conns sync.WaitGroup
	defer conns.Wait()
	defer cancel()
	for {
		conn, err := ln.Accept(ctx)
		switch {
		case ctx.Err() != nil || errors.Is(err, quic.ErrServerClosed):
			return nil
		case err != nil:
			return err
		}
		conns.Go(func() { serveConn(ctx, conn) })
	}
}

// serveConn answers the streams of a connection until it ends or ctx does.
func serveConn(ctx context.Context, conn *quic.Conn) {
	var streams sync.WaitGroup
	defer streams.Wait()
	defer conn.CloseWithError(cancelCode, "")
	for {
		s, err := conn.AcceptStream(ctx)
		if err != nil {
			return
		}
		streams.Go(func() {
			if serveStream(s) != nil {
				// The client has cut the stream off, or the connection is gone.
				s.CancelRead(cancelCode)
				s.CancelWrite(cancelCode)
			}
		})
	}
}

// serveStream reads a request to its end and answers it.
func serveStream(s *quic.Stream) error {
	var header [headerLen]byte
	if _, err := io.ReadFull(s, header[:]); err != nil {
		return err
	}
	if _, err := drain(s, nil); err != nil {
		return err
	}
	_, err := fill(s, binary.BigEndian.Uint64(header[:]), nil)
	return err
}

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// drain reads a stream to its end and returns how many bytes it had. Progress,
// if not nil, is told of each piece and ends reading when it returns false.
func drain(r io.Reader, progress func(n int) bool) (total uint64, err error) {
	buf := buffers.Get().(*[bufferSize]byte)
	defer buffers.Put(buf)
	for {
		n, err := r.Read(buf[:])
		total += uint64(n)
		if err == io.EOF {
			return total, nil
		}
		if err != nil || (progress != nil && !progress(n)) {
			return total, err
		}
	}
}

// fill writes n bytes and the stream's end, and returns how many it wrote.
// Proceed, if not nil, is asked before each piece whether to go on; the stream
// ends early if not.
func fill(s *quic.Stream, n uint64, proceed func() bool) (total uint64, err error) {
	for total+bufferSize < n {
		if proceed != nil && !proceed() {
			return total, s.Close()
		}
		k, err := s.Write(zeros[:])
		total += uint64(k)
		if err != nil {
			return total, err
		}
	}
	k, err := s.WriteLast(zeros[:n-total])
	return total + uint64(k), err
}
