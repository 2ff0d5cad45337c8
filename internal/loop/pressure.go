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
const (
	pressurePeriod = 50 * time.Millisecond
	crowdedPeriods = 3
	crowdedExcess  = 8
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

// pressure is what a loop knows since it left something in its socket in every turn.
type pressure struct {
	turns   int
	last    reading // zero at first
	periods int     // in a row in which more came than was taken
}

// note takes a reading, a period after the last one, and reports whether the loop is
// crowded.
func (p *pressure) note(r reading) bool {
	last := p.last
	p.last = r
	if last.at.IsZero() {
		return false
	}
	taken := r.bytes - last.bytes
	excess := uint64(max(r.queued-last.queued, 0))
	if messages := r.messages - last.messages; messages > 0 {
		excess += (r.lost - last.lost) * taken / messages
	}
	if excess*crowdedExcess <= taken {
		p.periods = 0
		return false
	}
	p.periods++
	return p.periods >= crowdedPeriods
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
