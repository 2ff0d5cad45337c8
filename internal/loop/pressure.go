package loop

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

// Leaving something in the socket is nothing bad by itself: senders that obey congestion
// control fill its buffer, which holds what some milliseconds bring. A loop is crowded
// where it would take crowdedDelay to handle what waits in the socket, or where one in
// crowdedLoss finds no room there.
const (
	crowdedDelay = 50 * time.Millisecond
	crowdedLoss  = 64
	// pressurePeriod is how often the kernel is asked while every turn leaves something.
	pressurePeriod = 10 * time.Millisecond
	// crowdedTurns is after how many such turns in a row a loop is crowded whose socket is
	// none of the kernel's.
	crowdedTurns = 2
)

// gauge is a Socket that tells how much waits in it: see udp.Socket.
type gauge interface {
	Pressure() (queued int, lost uint64, ok bool)
}

// pressure is what a loop knows since it left something in its socket in every turn.
type pressure struct {
	turns int
	// When the kernel was asked last, and the counters then.
	asked                    monotime.Time
	bytes, datagrams, losses uint64
}

// isCrowded is asked after a turn that left something in the socket.
func (l *Loop) isCrowded() bool {
	p := &l.pressure
	g, ok := l.sock.(gauge)
	if !ok {
		p.turns++
		return p.turns >= crowdedTurns
	}
	if !p.asked.IsZero() && l.now.Sub(p.asked) < pressurePeriod {
		return false
	}
	queued, losses, ok := g.Pressure()
	stats, before := l.sock.Stats(), *p
	*p = pressure{asked: l.now, bytes: stats.ReceivedBytes, datagrams: stats.ReceivedDatagrams, losses: losses}
	if !ok || before.asked.IsZero() {
		return false
	}
	bytes, period := stats.ReceivedBytes-before.bytes, l.now.Sub(before.asked)
	return float64(queued)*float64(period) > float64(bytes)*float64(crowdedDelay) ||
		(losses-before.losses)*crowdedLoss > stats.ReceivedDatagrams-before.datagrams
}
