package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/godwit-quic/godwit/internal/attack"
	"github.com/godwit-quic/godwit/webtransport"
)

// move has the client's address change in the middle of a download.
func move(ctx context.Context, l *load, _ *client) error {
	r, err := newRelay(l.addr)
	if err != nil {
		return err
	}
	defer r.close()
	c, err := newClientAt(r.addr(), "127.0.0.1")
	if err != nil {
		return err
	}
	defer c.close()
	return l.get(ctx, c, 4<<20, 0, func() error { return r.move(somewhere()) })
}

// errVanished ends a client's work.
var errVanished = errors.New("the client has vanished")

// vanish has a client be gone without a word, while it does something. It fails only if
// it could not begin.
func vanish(ctx context.Context, l *load, _ *client) error {
	r, err := newRelay(l.addr)
	if err != nil {
		return err
	}
	c, err := newClientAt(r.addr(), "127.0.0.1")
	if err != nil {
		r.close()
		return err
	}
	if err = hello(ctx, l, c); err == nil {
		l.beginAndStop(ctx, c, r.addr())
	}
	r.close()
	c.close() // which nobody hears
	return err
}

// beginAndStop begins something and does not wait for its end.
func (l *load) beginAndStop(ctx context.Context, c *client, addr string) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(rand.IntN(200))*time.Millisecond, errVanished)
	defer cancel()
	// What is given up is cancelled by the client, which must not be heard: so the
	// context of what has begun is another.
	own := context.WithoutCancel(ctx)
	switch rand.IntN(4) {
	case 0: // says no more
	case 1:
		go func() { _ = l.get(own, c, maxSize, 0, nil) }() // until the client is closed
	case 2:
		go func() { _ = c.post(own, maxSize) }()
	case 3:
		d := webtransport.Dialer{TLSClientConfig: tlsConfig, QUICTransport: c.socket}
		go func() {
			if s, _, err := d.Dial(own, "https://"+addr+"/wt/echo", nil); err == nil {
				_ = echoStream(own, s, noise[:1<<20])
			}
		}()
	}
	<-ctx.Done()
}

// attacks are the rows that take turns: some of each family, of those that do not live
// of being faster than the server. Those that make it hold most come first, so that the
// warm-up has seen them.
var attacks = []string{
	"slow-headers", "slow-windows", "slow-posts", "ack-every-other-2700", "ack-never", "slow-read-10",
	"cookie-bomb-4", "crypto-gap", "stream-gaps", "qpack-blocked", "wt-datagrams", "handshakes-2000",
	"initials-8000", "partial-hellos", "conn-churn", "violations", "rapid-reset", "field-bomb",
	"wt-unknown-capsules", "wt-sessions", "path-churn-validated", "new-ids", "retire-ids", "crypto-fragments",
	"garbage", "short-headers", "unknown-versions", "forged-initials", "pings", "path-challenges", "key-updates",
	"illegal-frames", "tiny-data", "rapid-stop-sending", "malformed-headers", "empty-requests",
	"qpack-cancellations", "goaways", "unknown-uni-streams", "wt-reset-streams", "wt-streams-of-nobody",
}

const (
	// attackFor is how long an attack lasts, and attackSlower how many times slower
	// it is than alone.
	attackFor    = 3 * time.Second
	attackSlower = 10
)

// attackInTurn carries out the next attack.
func attackInTurn(_ context.Context, l *load, _ *client) error {
	name := attacks[l.row%len(attacks)]
	l.row++
	row, err := rowNamed(name)
	if err != nil {
		return err
	}
	report, err := row.Run(attack.Target{Server: l.server, Duration: attackFor, Slower: attackSlower})
	if err != nil {
		return fmt.Errorf("%s did not take place: %w", name, err)
	}
	for _, rule := range report.Broken {
		l.report.add("rules", true, fmt.Errorf("%s: %s", name, rule))
	}
	l.report.logf("%s: %d packets; %s", name, report.Packets, report.Note)
	return nil
}

func rowNamed(name string) (attack.Row, error) {
	for _, r := range attack.Rows() {
		if r.Name == name {
			return r, nil
		}
	}
	return attack.Row{}, fmt.Errorf("there is no attack %q", name)
}
