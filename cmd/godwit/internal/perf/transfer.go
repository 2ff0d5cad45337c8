package perf

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/godwit-quic/godwit/quic/event"
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
func (t *transfer) begin(turn event.Turn, s event.Stream) {
	turn.Handle(s, t)
	if _, err := turn.Write(s, binary.BigEndian.AppendUint64(nil, t.run.Download)); err != nil {
		t.end(err)
		return
	}
	t.HandleWritable(turn, s)
}

// HandleWritable uploads as far as there is room. When the time is up it ends the upload
// early: the server answers nevertheless.
func (t *transfer) HandleWritable(turn event.Turn, s event.Stream) {
	if t.asked {
		return
	}
	left := t.run.Upload - t.sent
	if left > 0 && !t.run.proceed() {
		t.cut, left = true, 0
	}
	n, err := writeZeros(turn, s, left)
	t.sent += n
	switch {
	case err != nil:
		t.end(err)
	case n == left:
		t.asked = true
		_, _ = turn.WriteLast(s, nil)
	}
}

// HandleReadable downloads what has arrived. When the time is up it does without the rest.
func (t *transfer) HandleReadable(turn event.Turn, s event.Stream) {
	err := readAll(turn, s, func(b []byte) bool {
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

// HandleEnd implements event.StreamHandler.
func (t *transfer) HandleEnd(turn event.Turn, s event.Stream, end event.End) {
	releaseEnded(turn, s, end)
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

// HandleStream implements event.Handler: a server opens none.
func (requester) HandleStream(event.Turn, event.Stream) event.StreamHandler { return nil }

// HandleClose implements event.Handler.
func (requester) HandleClose(event.Turn, error) {}

// HandleTurn implements event.TurnHandler: a goroutine that waits for a transfer does not
// write.
func (requester) HandleTurn(event.Turn) bool { return false }
