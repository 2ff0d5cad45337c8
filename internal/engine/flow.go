package engine

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/streambuf"
	"github.com/godwit-quic/godwit/internal/wire"
)

// recvWindow is one flow control window that we grant: of a stream or of the
// connection (RFC 9000, Section 4). It grows only while the application
// consumes: a peer cannot inflate it by sending alone.
type recvWindow struct {
	max      uint64        // granted: the limit the peer knows of
	consumed uint64        // read by the application
	window   uint64        // what is granted beyond consumed
	movedAt  monotime.Time // when max was last raised
}

// tuneWithin: a window consumed half within this many round trips limits the
// peer's sending, so it is doubled.
const tuneWithin = 2

// grant raises max when half of the window is consumed and reports whether the
// peer should be told. The window grows to limit and no further, and what the peer
// was promised is never taken back.
func (w *recvWindow) grant(now monotime.Time, rtt time.Duration, limit uint64) bool {
	w.window = min(w.window, limit) // which may have come down
	if w.consumed+w.window < w.max+w.window/2 {
		return false
	}
	if !w.movedAt.IsZero() && now.Sub(w.movedAt) < tuneWithin*rtt {
		w.window = min(2*w.window, limit)
	}
	w.movedAt = now
	w.max = w.furthest()
	return true
}

// furthest returns how far the peer may be let send now. A limit larger than what a frame
// can say would be none (RFC 9000, Section 16).
func (w *recvWindow) furthest() uint64 { return min(w.consumed+w.window, wire.MaxVarint) }

// connFlow is flow control of the whole connection, both directions.
type connFlow struct {
	recv     recvWindow
	received uint64 // sum of the highest offsets received on all streams
	update   sentVal
	account  *connAccount

	sendMax uint64 // the peer's limit
	sent    uint64 // sum of the highest offsets sent on all streams
	blocked sentVal
}

// connAccount is an Account, and what else of connFlow is kept apart from Conn.
type connAccount struct {
	streambuf.Account
	// relieved is how far the window was moved since half of it was consumed: see
	// connFlow.relieve.
	relieved uint64
}

func (f *connFlow) init(cfg *Config, pool *streambuf.Pool) {
	f.recv = recvWindow{max: cfg.InitialConnWindow, window: cfg.InitialConnWindow}
	f.account = new(connAccount)
	f.account.Init(pool)
	f.share()
}

// receive counts n new bytes on some stream.
func (f *connFlow) receive(n uint64) *TransportError {
	if f.received+n > f.recv.max {
		return protocolError(wire.FlowControlError, wire.FrameStream, "more data than the connection's limit")
	}
	f.received += n
	if f.left() < f.recv.window/reportPart {
		f.share()
		if f.account.ReportDue() {
			f.recv.consumed += f.account.TakeReport()
		}
		f.relieve()
	}
	return nil
}

const (
	// reportPart is the part of the connection's window after which readers tell
	// what they have read from all streams.
	reportPart = 4
	// leastRelief is by how many bytes the connection's window is moved at least, unless
	// that is more than a part of it.
	leastRelief = 4 << 10
)

// left returns how many new bytes the peer may send.
func (f *connFlow) left() uint64 { return f.recv.max - f.received }

// share tells readers when to report: the less is left, the sooner.
func (f *connFlow) share() {
	f.account.SetReportAfter(min(max(f.left(), leastRelief), f.recv.window/reportPart))
}

// relieve moves the window though less than half of it was consumed, if that
// doubles what is left to the peer. Data that nobody reads on one stream may fill
// the other half for good, and whoever is to read it may wait for what other streams
// bring.
func (f *connFlow) relieve() {
	most := f.recv.furthest()
	if least := max(f.left(), min(leastRelief, f.recv.window/reportPart)); most >= f.recv.max+least {
		f.account.relieved += most - f.recv.max
		f.recv.max = most
		f.update.set()
	}
}

// forgo gives back n bytes of credit for what the application will never read.
// The window moves and does not grow: a peer could inflate it with resets.
func (f *connFlow) forgo(n uint64) {
	if n > 0 {
		f.recv.consumed += n
		f.recv.max = min(f.recv.max+n, wire.MaxVarint)
		f.update.set()
	}
}

// consume counts n bytes the application read.
func (f *connFlow) consume(now monotime.Time, c *Conn, n uint64) {
	f.recv.consumed += n
	w := f.recv
	w.max -= f.account.relieved // which says nothing about how fast a half is consumed
	if w.grant(now, c.paths.Current.RTT.Smoothed, f.largest(c)) {
		w.max = max(w.max, f.recv.max)
		f.recv, f.account.relieved = w, 0
		f.update.set()
	} else {
		f.relieve()
	}
	f.share()
}

// The connection's window is at least widerNum/widerDen times each stream's, as far as
// the initial ones are: what a stream may fill that nobody reads leaves room for others.
// RFC 9000, Section 4.1 leaves it to us.
const widerNum, widerDen = 3, 2

// widen makes the connection's window large enough beside a stream's.
func (f *connFlow) widen(now monotime.Time, c *Conn, stream uint64) {
	w := min(wider(stream), f.largest(c))
	if w <= f.recv.window {
		return
	}
	f.recv.window, f.recv.movedAt, f.account.relieved = w, now, 0
	if most := f.recv.furthest(); most > f.recv.max {
		f.recv.max = most
		f.update.set()
	}
	f.share()
}

// largest returns how far the connection's window may grow now.
func (f *connFlow) largest(c *Conn) uint64 {
	return f.account.LargestWindow(c.config.InitialConnWindow, c.config.MaxConnWindow)
}

// largestStream returns how far a stream's window may grow now.
func (f *connFlow) largestStream(c *Conn) uint64 {
	limit := f.account.LargestWindow(c.config.InitialStreamWindow, c.config.MaxStreamWindow)
	return max(c.config.InitialStreamWindow, min(limit, f.largest(c)/widerNum*widerDen))
}

// collect takes over what the readers counted.
func (f *connFlow) collect(now monotime.Time, c *Conn) {
	if n := f.account.TakeReport(); n > 0 {
		f.consume(now, c, n)
	}
}

// raise takes a MAX_DATA frame.
func (f *connFlow) raise(limit uint64) {
	if limit > f.sendMax {
		f.sendMax = limit
		f.blocked.clear()
	}
}

// publish tells the streams' writers what may be sent, with a congestion window of
// so many bytes.
func (f *connFlow) publish(window int) {
	f.account.SetLimits(f.credit(), window)
}

// credit returns how many new bytes the peer's limit allows.
func (f *connFlow) credit() uint64 { return f.sendMax - f.sent }
