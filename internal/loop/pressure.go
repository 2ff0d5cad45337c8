package loop

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Leaving something in the socket is nothing bad by itself: senders that obey congestion
// control fill its buffer, and stop there. A loop is crowded where more comes than it can
// take, for long: for crowdedPeriods in a row, of pressurePeriod each, the socket's buffer
// grew by one byte or lost one for crowdedExcess that were taken out of it. Congestion
// control lets such a thing happen when it begins, and after that loses a hundredth or so.
// So it is, too, where as much is lost on average of burstsTime: who floods it for a little
// less than those periods, and pauses until the socket is empty, does no less harm.
const (
	pressurePeriod = 50 * time.Millisecond
	crowdedPeriods = 3
	crowdedExcess  = 8
	burstsTime     = time.Second
	// crowdedTurns is after how many turns in a row that left something a loop is crowded
	// whose socket is none of the kernel's.
	crowdedTurns = 2
)

// gauge is a Socket that tells how much waits in it: see udp.Socket.
type gauge interface {
	Pressure() (queued int, lost uint64, ok bool)
}

// reading is what is known of a socket at a moment.
type reading struct {
	at       monotime.Time
	queued   int    // bytes of the kernel's memory
	lost     uint64 // messages that found no room, in all
	bytes    uint64 // received, in all
	messages uint64 // likewise
}

// exceeds reports whether much more has come since an earlier reading than was taken.
func (r reading) exceeds(earlier reading) bool {
	taken := r.bytes - earlier.bytes
	excess := uint64(max(r.queued-earlier.queued, 0))
	if messages := r.messages - earlier.messages; messages > 0 {
		excess += (r.lost - earlier.lost) * (taken / messages)
	}
	return excess*crowdedExcess > taken
}

// pressure is what a loop that is not crowded knows of its socket.
type pressure struct {
	begun reading // of burstsTime; zero at first
	row
}

// row is what it knows since it left something in its socket in every turn.
type row struct {
	turns   int
	last    reading // zero at first
	periods int     // in a row in which more came than was taken
}

// note takes a reading, a period after the last one, and reports whether the loop is
// crowded.
func (p *pressure) note(r reading) (crowded bool) {
	switch {
	case p.begun.at.IsZero():
		p.begun = r
	case r.at.Sub(p.begun.at) >= burstsTime:
		crowded = r.exceeds(p.begun)
		p.begun = r
	}
	if !p.last.at.IsZero() {
		if p.periods++; !r.exceeds(p.last) {
			p.periods = 0
		}
	}
	p.last = r
	return crowded || p.periods >= crowdedPeriods
}

// isCrowded is asked after a turn that left something in the socket.
func (l *Loop) isCrowded() bool {
	p := &l.pressure
	g, ok := l.sock.(gauge)
	if !ok {
		p.turns++
		return p.turns >= crowdedTurns
	}
	if !p.last.at.IsZero() && l.now.Sub(p.last.at) < pressurePeriod {
		return false
	}
	queued, lost, ok := g.Pressure()
	return ok && p.note(reading{l.now, queued, lost, l.sock.Stats().ReceivedBytes, l.messages})
}
