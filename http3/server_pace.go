package http3

import (
	"fmt"
	"os"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// paceGrace is how long a handler waits for a client in all before its rate counts,
// and how much of that a fast client can earn back: a mobile network may be gone
// for as long.
const paceGrace = 10 * time.Second

// paceWatched is how much of a response may wait to be sent, in bytes, for a handler
// that has returned, without anybody looking whether it goes on.
const paceWatched = 16 << 10

// errTooSlow is a timeout, as net/http's handlers know it.
var errTooSlow = fmt.Errorf("http3: the client is slower than the server's minimum rate: %w", os.ErrDeadlineExceeded)

// pace is the time that a handler may wait yet for its client, in one direction. It
// gets shorter while the handler waits, and longer with each byte. What the handler
// does not wait for is not the client's fault.
type pace struct {
	rate        int64 // bytes in a second; 0 for any
	left, grace time.Duration
}

// waited notes for how long the handler waited, and how many bytes came of it. It
// reports whether the client is too slow.
func (p *pace) waited(d time.Duration, bytes int) (tooSlow bool) {
	earned := time.Duration(int64(bytes) * int64(time.Second) / p.rate)
	p.left = min(p.left-d+earned, p.grace)
	return p.left <= 0
}

// pacing holds a request's client to minimum rates.
type pacing struct {
	read, write pace

	// Deadlines of the stream, guarded by responseWriter.using: the handler's for reading,
	// and those of the waits under way.
	userRead, readUntil, writeUntil time.Time
}

// startPacing begins to look at the client's rates, if the server has minimums.
func (x *exchange) startPacing() {
	srv := x.conn.srv
	if srv.MinReadRate <= 0 && srv.MinWriteRate <= 0 {
		return
	}
	grace := srv.grace
	if grace == 0 {
		grace = paceGrace
	}
	x.pacing = &pacing{
		read:  pace{int64(srv.MinReadRate), grace, grace},
		write: pace{int64(srv.MinWriteRate), grace, grace},
	}
	if ended, _ := x.body.rs.Ended(); srv.MinReadRate > 0 && !ended {
		x.body.paced = x
	}
}

// read reads the stream, and fails when the client is too slow.
func (x *exchange) read(p []byte) (int, error) {
	pace := &x.pacing.read
	if n, err := x.Ref.TryRead(p); n > 0 || err != nil {
		pace.waited(0, n)
		return n, err
	}
	start := time.Now()
	x.limitRead(start.Add(pace.left))
	n, err := x.stream.Read(p)
	x.limitRead(time.Time{})
	if pace.waited(time.Since(start), n) && isDeadline(err) {
		err = errTooSlow
	}
	return n, err
}

// write writes to the stream, or ends it with p, and fails when the client is too slow
// to take it. The response's lock is held.
func (x *exchange) write(p []byte, last bool) (n int, err error) {
	s, write := &x.stream, x.stream.Write
	if last {
		write = s.WriteLast
	}
	if x.pacing == nil || x.pacing.write.rate <= 0 || x.Ref.Room() >= len(p) {
		return write(p)
	}
	for {
		start, before := time.Now(), x.Ref.Unsent()
		x.limitWrite(start.Add(x.pacing.write.left))
		m, err := write(p[n:])
		x.limitWrite(time.Time{})
		n += m
		tooSlow := x.pacing.write.waited(time.Since(start), before+m-x.Ref.Unsent())
		switch {
		case !isDeadline(err):
			return n, err
		case tooSlow:
			return n, errTooSlow
		case x.writeExpired():
			return n, err
		}
	}
}

// limitRead sets until when the client may take for what is being read.
func (x *exchange) limitRead(until time.Time) {
	x.rw.using.Lock()
	defer x.rw.using.Unlock()
	x.pacing.readUntil = until
	_ = x.body.setReadDeadline(earlier(x.pacing.userRead, until))
}

// limitWrite sets until when the client may take for what is being written.
func (x *exchange) limitWrite(until time.Time) {
	x.rw.using.Lock()
	defer x.rw.using.Unlock()
	x.pacing.writeUntil = until
	_ = x.stream.SetWriteDeadline(earlier(x.rw.userDeadline(), until))
}

// writeExpired reports whether the handler's own deadline has passed.
func (x *exchange) writeExpired() bool {
	x.rw.using.Lock()
	defer x.rw.using.Unlock()
	user := x.rw.userDeadline()
	return !user.IsZero() && !time.Now().Before(user)
}

// userDeadline returns the handler's deadline for writing. responseWriter.using is held.
func (w *responseWriter) userDeadline() time.Time {
	if w.deadline == 0 {
		return time.Time{}
	}
	return time.Unix(0, w.deadline)
}

// earlier returns the earlier of two deadlines, of which a zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// enforcePace has the response reset when the client is too slow to take what is left
// of it, for a handler that has returned.
func (w *responseWriter) enforcePace() {
	x := w.exchange
	if x.pacing == nil || x.pacing.write.rate <= 0 {
		return
	}
	if waits := x.Ref.Unsent(); waits > paceWatched {
		x.watchPace(waits)
	}
}

// watchPace looks at the client's rate when all of its time has passed.
func (x *exchange) watchPace(waits int) {
	x.posted = true
	event.Run(x.conn.qc, func(t event.Turn) { x.checkPace(t, waits) })
}

func (x *exchange) checkPace(t event.Turn, waits int) {
	start, pace := t.Now(), &x.pacing.write
	t.SetTimer(new(event.Timer), start+pace.left, event.TimerFunc(func(t event.Turn) {
		left := x.Ref.Unsent()
		switch {
		case left == 0:
		case pace.waited(t.Now()-start, waits-left):
			x.Ref.CancelWrite(uint64(h3.InternalError))
		default:
			x.checkPace(t, left)
		}
	}))
}
