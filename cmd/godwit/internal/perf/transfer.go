package perf

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/godwit-quic/godwit/quic"
)

// transfer is one stream of a client. Its methods run on the loop's goroutine.
type transfer struct {
	run   *run
	sent  uint64     // bytes uploaded
	got   uint64     // bytes downloaded
	asked bool       // the upload is over
	cut   bool       // before its end, as the time is up
	done  chan error // has room for one
}

// begin sends the request.
func (t *transfer) begin(s *quic.Stream) {
	s.SetValue(t)
	if _, err := s.TryWrite(binary.BigEndian.AppendUint64(nil, t.run.Download)); err != nil {
		t.end(err)
		return
	}
	t.write(s)
}

// write uploads as far as there is room. When the time is up it ends the upload
// early: the server answers nevertheless.
func (t *transfer) write(s *quic.Stream) {
	if t.asked {
		return
	}
	left := t.run.Upload - t.sent
	if left > 0 && !t.run.proceed() {
		t.cut, left = true, 0
	}
	n, err := writeZeros(s, left)
	t.sent += n
	switch {
	case err != nil:
		t.end(err)
	case n == left:
		t.asked = true
		_ = s.Close()
	}
}

// read downloads what has arrived. When the time is up it does without the rest.
func (t *transfer) read(s *quic.Stream) {
	err := readAll(s, func(b []byte) bool {
		t.got += uint64(len(b))
		t.run.downloaded.Add(uint64(len(b)))
		t.cut = t.cut || !t.run.proceed()
		return !t.cut
	})
	switch {
	case err == io.EOF:
		t.end(nil)
	case err != nil:
		t.end(err)
	case t.cut && t.got > 0:
		s.CancelRead(cancelCode)
		t.end(nil)
	}
}

// end tells that the transfer is over. The first call counts.
func (t *transfer) end(err error) {
	select {
	case t.done <- err:
	default:
	}
}

// count adds a transfer that is over to the run's result, unless the server has
// sent too little.
func (t *transfer) count() error {
	complete := t.got == t.run.Download && t.sent == t.run.Upload
	if !complete && !t.cut {
		return fmt.Errorf("the server sent %d bytes instead of %d", t.got, t.run.Download)
	}
	if complete {
		t.run.requests.Add(1)
	}
	t.run.uploaded.Add(t.sent)
	return nil
}

// requester is a client's connection.
type requester struct{}

// HandleStream implements quic.Handler: a server opens none.
func (requester) HandleStream(*quic.Stream) {}

// HandleReadable implements quic.Handler.
func (requester) HandleReadable(s *quic.Stream) {
	if t, ok := s.Value().(*transfer); ok {
		t.read(s)
	}
}

// HandleWritable implements quic.Handler.
func (requester) HandleWritable(s *quic.Stream) {
	if t, ok := s.Value().(*transfer); ok {
		t.write(s)
	}
}

// HandleStreamsAvailable implements quic.Handler: Conn.OpenStream waits for them.
func (requester) HandleStreamsAvailable(*quic.Conn) {}

// HandleClose implements quic.Handler.
func (requester) HandleClose(*quic.Conn, error) {}

// Woke implements quic.Waker: who waits for a transfer does not write.
func (requester) Woke() bool { return false }
