package qlog

import "io"

const (
	// flushAt is how many bytes wait to be written before they are.
	flushAt = 32 << 10
	// maxFile ends the log of a connection that goes on and on, in bytes.
	maxFile = 1 << 30
)

// output writes records to a file, many at a time, until one write fails.
type output struct {
	w       io.WriteCloser // nil when finished
	rec     record         // what is not written yet
	written int64
	// unbuffered makes each record be written when it ends.
	unbuffered bool
	mark       int             // where the record began that is being written
	limit      int64           // of written, in bytes
	report     func(err error) // told when writing failed
	closed     func()          // told when w is closed
}

// done reports that nothing can be written any more.
func (o *output) done() bool { return o.w == nil }

// begin starts a record. The output must not be done.
func (o *output) begin() *record {
	o.mark = len(o.rec.buf)
	o.rec.buf = append(o.rec.buf, recordSeparator)
	return &o.rec
}

// drop takes back the record begun last.
func (o *output) drop() { o.rec.buf = o.rec.buf[:o.mark] }

// end ends the record begun last.
func (o *output) end() {
	o.rec.buf = append(o.rec.buf, '\n')
	if o.unbuffered || len(o.rec.buf) >= flushAt {
		o.flush()
		if o.written >= o.limit {
			o.finish()
		}
	}
}

func (o *output) flush() {
	if o.w == nil || len(o.rec.buf) == 0 {
		return
	}
	n, err := o.w.Write(o.rec.buf)
	o.written += int64(n)
	o.rec.buf = o.rec.buf[:0]
	if err != nil {
		o.report(err)
		o.finish()
	}
}

// finish writes what is left and closes the file. Calling it again does nothing.
func (o *output) finish() {
	o.flush()
	if o.w == nil {
		return
	}
	if err := o.w.Close(); err != nil {
		o.report(err)
	}
	o.w, o.rec.buf = nil, nil
	o.closed()
}
