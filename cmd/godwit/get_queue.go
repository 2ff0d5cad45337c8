package main

import (
	"bytes"
	"context"
	"io"
	"os"
)

// maxQueued is how many bytes of a response that waits for its turn are kept in
// memory. More than that goes to a temporary file.
const maxQueued = 1 << 20

// queuedWriter writes to out when it is its turn, and keeps what it is given
// before. Not to read a response until then is no choice: it would take up room
// in its connection's flow control window, and one of the requests the server
// allows, which the one whose turn it is may need.
type queuedWriter struct {
	out  io.Writer
	turn <-chan struct{} // closed when it is our turn

	memory bytes.Buffer
	file   *os.File // what came after memory was full, nil if nothing did
}

// Write writes or keeps p.
func (q *queuedWriter) Write(p []byte) (int, error) {
	select {
	case <-q.turn:
		if err := q.flush(); err != nil {
			return 0, err
		}
		return q.out.Write(p)
	default:
	}
	if q.file == nil && q.memory.Len()+len(p) <= maxQueued {
		return q.memory.Write(p)
	}
	if q.file == nil {
		f, err := os.CreateTemp("", "godwit-get-*")
		if err != nil {
			return 0, err
		}
		q.file = f
	}
	return q.file.Write(p)
}

// finish waits for our turn and writes what was kept.
func (q *queuedWriter) finish(ctx context.Context) error {
	select {
	case <-q.turn:
		return q.flush()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (q *queuedWriter) flush() error {
	if _, err := q.memory.WriteTo(q.out); err != nil {
		return err
	}
	if q.file == nil {
		return nil
	}
	defer q.close()
	if _, err := q.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := io.Copy(q.out, q.file)
	return err
}

// close removes what was kept and not written.
func (q *queuedWriter) close() {
	if q.file == nil {
		return
	}
	_ = q.file.Close()
	_ = os.Remove(q.file.Name()) // at worst the system's cleaning finds it
	q.file = nil
}
