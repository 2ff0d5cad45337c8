package main

import (
	"context"
	"io"
	"time"
)

// rateSteps is how many reads a second a limited transfer has at least.
const rateSteps = 20

// limited reads no faster than a rate.
type limited struct {
	io.ReadCloser
	ctx   context.Context
	rate  int64 // bytes a second
	start time.Time
	done  int64 // bytes
}

// limit returns body, or what reads it no faster than rate bytes a second if that
// is not 0.
func limit(ctx context.Context, body io.ReadCloser, rate size) io.ReadCloser {
	if rate == 0 {
		return body
	}
	return &limited{ReadCloser: body, ctx: ctx, rate: int64(rate)}
}

func (l *limited) Read(p []byte) (int, error) {
	if l.start.IsZero() {
		l.start = time.Now()
	}
	due := l.start.Add(time.Duration(float64(l.done) / float64(l.rate) * float64(time.Second)))
	if wait := time.Until(due); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-l.ctx.Done():
			return 0, context.Cause(l.ctx)
		}
	}
	if step := max(1, l.rate/rateSteps); int64(len(p)) > step {
		p = p[:step]
	}
	n, err := l.ReadCloser.Read(p)
	l.done += int64(n)
	return n, err
}
