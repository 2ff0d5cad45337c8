package path

import (
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
)

const (
	// minBurstPackets may always leave together after a pause, as the initial
	// window may (RFC 9002, Section 7.7).
	minBurstPackets = 10

	// burstTime is how much of the rate may be saved up. A loop's timer fires
	// up to a millisecond late and then fills a millisecond's worth; twice
	// that loses nothing. For RTTs below that, 1.25 windows fit into the
	// bucket: there the acknowledgements set the pace alone.
	burstTime = 2 * time.Millisecond

	// maxBurst bounds what a switch's buffer must take at once. It is burstTime
	// at 16 Gbit/s, more than a core can send.
	maxBurst = 4 << 20

	// maxRate bounds the rate, so that products with it cannot overflow: a terabyte a
	// second, in bytes.
	maxRate = 1 << 40

	// Unlimited is the Budget when there is no rate.
	Unlimited = 1 << 30
)

// Pacer spreads packets over time: a token bucket that fills at the controller's
// pacing rate and from which sent packets take their bytes. The zero value is
// ready and unlimited.
type Pacer struct {
	rate  uint64        // bytes per second, 0 for no limit
	at    monotime.Time // when tokens was right
	mtu   int32         // bytes
	limit int32         // the bucket's size in bytes

	// tokens is in bytes/second × nanoseconds, a billion to the byte, so that
	// no fraction is lost. It is negative after a train was sent on credit.
	tokens int64
}

const tokensPerByte = int64(time.Second)

// Update sets the rate in bytes per second, 0 for no limit, and the size in
// bytes of a packet. The first rate comes with a full bucket.
func (p *Pacer) Update(now monotime.Time, rate uint64, mtu int) {
	rate = min(rate, maxRate)
	if rate == p.rate && mtu == int(p.mtu) {
		return
	}
	p.refill(now)
	unlimited := p.rate == 0
	p.rate, p.mtu = rate, int32(mtu)
	p.limit = int32(max(minBurstPackets*mtu, burstBytes(rate)))
	if unlimited {
		p.tokens, p.at = p.full(), now
	}
	p.tokens = min(p.tokens, p.full())
}

// full returns the tokens of a full bucket.
func (p *Pacer) full() int64 { return int64(p.limit) * tokensPerByte }

// burstBytes returns what rate sends in burstTime, at most maxBurst.
func burstBytes(rate uint64) int {
	const perSecond = uint64(time.Second / burstTime)
	return int(min(rate/perSecond, maxBurst))
}

// Budget returns how many bytes may leave now, or Unlimited. A caller that
// sends only whole packets may overdraw it by less than one.
func (p *Pacer) Budget(now monotime.Time) int {
	if p.rate == 0 {
		return Unlimited
	}
	p.refill(now)
	return int(max(0, p.tokens/tokensPerByte))
}

// OnSent takes n bytes out of the bucket.
func (p *Pacer) OnSent(now monotime.Time, n int) {
	if p.rate == 0 {
		return
	}
	p.refill(now)
	p.tokens -= int64(n) * tokensPerByte
}

// NextSend returns when Budget will be at least need bytes, or all the bucket
// can hold; now when it is already.
func (p *Pacer) NextSend(now monotime.Time, need int) monotime.Time {
	if p.rate == 0 {
		return now
	}
	p.refill(now)
	missing := min(int64(need), int64(p.limit))*tokensPerByte - p.tokens
	if missing <= 0 {
		return now
	}
	wait := (uint64(missing) + p.rate - 1) / p.rate
	return now.Add(time.Duration(wait))
}

// refill adds what the rate yielded since the last time.
func (p *Pacer) refill(now monotime.Time) {
	elapsed := uint64(max(0, now.Sub(p.at)))
	p.at = max(p.at, now)
	full := p.full()
	if p.rate == 0 || p.tokens >= full {
		return
	}
	if room := uint64(full - p.tokens); elapsed > room/p.rate {
		p.tokens = full
	} else {
		p.tokens += int64(elapsed * p.rate)
	}
}
