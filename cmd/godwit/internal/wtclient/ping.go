package wtclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/internal/histogram"
)

// MinPingSize is the least size of a numbered datagram, in bytes: what marks it,
// and its number.
const MinPingSize = 32

// Ping says how to measure round trips: by datagrams with numbers, from 1 on, that
// the server sends back.
type Ping struct {
	Count    int           // how many to send, 0 for no end
	Interval time.Duration // from one to the next
	Size     int           // of each in bytes, at least MinPingSize
}

// pinger measures.
type pinger struct {
	Ping
	mark []byte // of this session's datagrams: a chat has others', too

	mu     sync.Mutex
	window window
	sent   uint64
	back   uint64
	twice  uint64 // came again, or when they were no longer expected
	onWay  uint64 // may still come back, when ctx ended it all
	rtts   histogram.Histogram
	min    time.Duration // with max, to the microsecond, which rtts does not know
	max    time.Duration
	all    chan struct{} // closed when all have come back
}

func newPinger(p Ping) *pinger {
	p.Size = max(p.Size, MinPingSize)
	return &pinger{Ping: p, mark: fmt.Appendf(nil, "ping %08x ", rand.Uint32()), all: make(chan struct{})}
}

// run sends until the count is reached or ctx or the session ends, and waits for
// what comes back.
func (p *pinger) run(ctx context.Context, c *client) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	next := time.Now()
	for n := 1; p.Count == 0 || n <= p.Count; n++ {
		if !c.sleep(ctx, time.Until(next)) {
			return nil
		}
		if err := c.sendDatagram(p.next(time.Now())); err != nil {
			return err
		}
		next = next.Add(p.Interval)
	}
	quiet := make(chan struct{})
	go func() {
		c.awaitQuiet(ctx)
		close(quiet)
	}()
	select {
	case <-quiet:
	case <-p.all:
	}
	return nil
}

// next returns the next datagram: the mark, the number, and dots.
func (p *pinger) next(now time.Time) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent++
	p.window.add(now)
	text := strconv.AppendUint(append(make([]byte, 0, p.Size), p.mark...), p.sent, 10)
	text = append(text, ' ')
	return append(text, bytes.Repeat([]byte("."), max(0, p.Size-len(text)))...)
}

// cut notes that nothing more is waited for, though what was sent within the time to wait for
// answers may still come back.
func (p *pinger) cut(now time.Time, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.onWay = p.window.since(now.Add(-wait))
}

// receive returns what to show for a datagram, or nil if it is not one of these.
func (p *pinger) receive(now time.Time, datagram []byte) *replyEvent {
	rest, ok := bytes.CutPrefix(datagram, p.mark)
	digits, _, spaced := bytes.Cut(rest, []byte(" "))
	number, err := strconv.ParseUint(string(digits), 10, 64)
	if !ok || !spaced || err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if number == 0 || number > p.sent {
		return nil // never sent
	}
	e := &replyEvent{stamp: stamp{Event: "reply"}, Number: number, Bytes: len(datagram)}
	sentAt, ok := p.window.take(number)
	if !ok {
		p.twice++
		e.Twice = true
		return e
	}
	rtt := now.Sub(sentAt)
	if p.back == 0 || rtt < p.min {
		p.min = rtt
	}
	p.max = max(p.max, rtt)
	p.back++
	p.rtts.Add(rtt)
	e.RTT = milliseconds(rtt)
	if p.back == uint64(p.Count) {
		close(p.all)
	}
	return e
}

// pingResult is what was measured.
type pingResult struct {
	Sent        uint64             `json:"sent"`
	Back        uint64             `json:"back"`
	Lost        uint64             `json:"lost"`
	OnWay       uint64             `json:"under_way"` // when it was ended
	LossPercent float64            `json:"loss_percent"`
	Twice       uint64             `json:"twice_or_late"`
	Size        int                `json:"size"`
	RTT         map[string]float64 `json:"rtt_ms"` // empty when none came back

	quantiles []time.Duration // as pingQuantiles
}

// pingQuantiles are the quantiles that are shown.
var pingQuantiles = []struct {
	name string
	q    float64
}{{"min", 0}, {"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"max", 1}}

func (p *pinger) result() *pingResult {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := &pingResult{Sent: p.sent, Back: p.back, OnWay: min(p.onWay, p.sent-p.back), Twice: p.twice, Size: p.Size, RTT: make(map[string]float64)}
	r.Lost = p.sent - p.back - r.OnWay
	if known := p.sent - r.OnWay; known > 0 {
		r.LossPercent = 100 * float64(r.Lost) / float64(known)
	}
	if p.back == 0 {
		return r
	}
	for _, q := range pingQuantiles {
		d := min(p.rtts.Quantile(q.q), p.max)
		if q.q == 0 {
			d = p.min
		}
		r.RTT[q.name] = milliseconds(d)
		r.quantiles = append(r.quantiles, d)
	}
	return r
}

// verdict is an error when nothing came back.
func (p *pinger) verdict() error {
	if r := p.result(); r.Back == 0 && r.Sent > 0 {
		return errors.New("no datagram came back: is it a route that echoes, like /wt/echo of godwit serve?")
	}
	return nil
}

// milliseconds returns a duration to the microsecond.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond).Microseconds()) / 1000
}
