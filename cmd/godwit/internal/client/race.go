package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Which of two connections to an origin is used. HTTP/3 begins, and TCP follows when its
// attempt fails or the head start is over; what is connected first gets the request, and
// all later ones. Nothing of a request is sent on the other.

// The winners of a race.
const (
	undecided int32 = iota
	overQUIC
	overTCP
)

// races are those of the origins, by "host:port".
type races struct {
	mu       sync.Mutex
	byOrigin map[string]*race
}

// race is that of one origin.
type race struct {
	winner atomic.Int32
	ending sync.Once
	over   chan struct{} // closed when the first request has a connection, or has failed
}

// errLost is why an attempt ends whose counterpart was connected first.
var errLost = errors.New("the other version was connected first")

// NeitherError is the error of a request for whose server there is no connection.
type NeitherError struct {
	QUIC, TCP error
}

// Error says once what was the same for both, such as a name that there is not.
func (e *NeitherError) Error() string {
	tcp, quic := innermost(e.TCP).Error(), innermost(e.QUIC).Error()
	if strings.HasSuffix(quic, tcp) {
		return tcp
	}
	return fmt.Sprintf("over TCP: %s; over HTTP/3: %s", tcp, quic)
}

// Unwrap returns both.
func (e *NeitherError) Unwrap() []error { return []error{e.TCP, e.QUIC} }

// innermost leaves out what says only which request it was.
func innermost(err error) error {
	op := (*net.OpError)(nil)
	switch {
	case !errors.As(err, &op) || op.Err == nil || op.Op != "dial":
		return err
	case op.Addr == nil: // there was none
		return op.Err
	}
	return fmt.Errorf("%v: %w", op.Addr, op.Err)
}

// race sends a request over what its origin is, or is to be, connected by.
func (t *Transport) race(req *http.Request) (*http.Response, error) {
	origin := originOf(req)
	for {
		r, mine := t.races.of(origin)
		if mine {
			resp, err := t.run(r, req, origin)
			if r.winner.Load() == undecided {
				t.races.forget(origin)
			}
			r.finish()
			return resp, err
		}
		select {
		case <-r.over:
		case <-req.Context().Done():
			closeBody(req)
			return nil, context.Cause(req.Context())
		}
		switch r.winner.Load() {
		case overQUIC:
			return t.within(req, t.HTTP3)
		case overTCP:
			return t.within(req, t.tcp)
		}
		// There was no connection: another attempt, by this request or one beside it.
	}
}

// of returns an origin's race, and whether the caller has to run it.
func (r *races) of(origin string) (of *race, mine bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if of, ok := r.byOrigin[origin]; ok {
		return of, false
	}
	if r.byOrigin == nil {
		r.byOrigin = make(map[string]*race)
	}
	of = &race{over: make(chan struct{})}
	r.byOrigin[origin] = of
	return of, true
}

func (r *races) forget(origin string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byOrigin, origin)
}

// claim reports whether a connection is the first.
func (r *race) claim(winner int32) bool {
	if !r.winner.CompareAndSwap(undecided, winner) {
		return r.winner.Load() == winner
	}
	r.finish()
	return true
}

// finish lets others go on. It may be called again.
func (r *race) finish() {
	r.ending.Do(func() { close(r.over) })
}

// attempt is a request's over one of the two.
type attempt struct {
	resp   *http.Response
	err    error
	cancel context.CancelCauseFunc
	done   chan struct{}
}

// run sends a request over HTTP/3, and over TCP if that is not connected in time.
func (t *Transport) run(r *race, req *http.Request, origin string) (*http.Response, error) {
	quic := t.begin(req, r, overQUIC)
	start := time.NewTimer(t.conf.HeadStart)
	defer start.Stop()
	late := time.NewTimer(t.connectTimeout())
	defer late.Stop()
	var why error
	select {
	case <-quic.done:
		if r.winner.Load() == overQUIC || untrusted(quic.err) || req.Context().Err() != nil {
			return quic.result(req, r, overQUIC)
		}
		why = quic.err
	case <-start.C:
		why = fmt.Errorf("no connection within %v", t.conf.HeadStart)
	case <-r.over:
		<-quic.done
		return quic.result(req, r, overQUIC)
	}
	tcp := t.begin(req, r, overTCP)
	both := make(chan struct{})
	go func() { <-quic.done; <-tcp.done; close(both) }()
	select {
	case <-r.over:
	case <-both:
	case <-late.C:
		quic.cancel(ConnectTimeoutError(t.conf.ConnectTimeout))
		tcp.cancel(ConnectTimeoutError(t.conf.ConnectTimeout))
		<-both
	}
	switch r.winner.Load() {
	case overQUIC:
		tcp.cancel(errLost)
		<-quic.done
		<-tcp.done
		return quic.result(req, r, overQUIC)
	case overTCP:
		quic.cancel(errLost)
		<-quic.done
		<-tcp.done
		if t.conf.FellBack != nil {
			t.conf.FellBack(origin, why)
		}
		return tcp.result(req, r, overTCP)
	}
	closeBody(req)
	if ctx := req.Context(); ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if late := ConnectTimeoutError(0); errors.As(tcp.err, &late) || errors.As(quic.err, &late) {
		return nil, ConnectTimeoutError(t.conf.ConnectTimeout)
	}
	return nil, &NeitherError{QUIC: quic.err, TCP: tcp.err}
}

// connectTimeout returns the time to connect, a very long one where there is no limit.
func (t *Transport) connectTimeout() time.Duration {
	if t.conf.ConnectTimeout > 0 {
		return t.conf.ConnectTimeout
	}
	return 1 << 62
}

// untrusted reports whether an error is about the server's certificate: another version
// would find the same one.
func untrusted(err error) bool {
	verification := (*tls.CertificateVerificationError)(nil)
	return errors.As(err, &verification)
}

type raceKey struct{}

// claimTCP claims the race in a context for TCP, if there is one.
func claimTCP(ctx context.Context) error {
	if r, ok := ctx.Value(raceKey{}).(*race); ok && !r.claim(overTCP) {
		return errLost
	}
	return nil
}

// begin sends a request over one of the two, if it is connected first.
func (t *Transport) begin(req *http.Request, r *race, over int32) *attempt {
	ctx, cancel := context.WithCancelCause(req.Context())
	a := &attempt{cancel: cancel, done: make(chan struct{})}
	transport := http.RoundTripper(t.tcp)
	if over == overQUIC {
		transport = t.HTTP3
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) {
			if !r.claim(overQUIC) {
				cancel(errLost) // and so nothing is sent
			}
		}})
	} else {
		ctx = context.WithValue(ctx, raceKey{}, r)
	}
	sent := req.WithContext(ctx)
	if req.Body != nil && req.Body != http.NoBody {
		sent.Body = &claimedBody{ReadCloser: req.Body, race: r, over: over}
	}
	go func() {
		defer close(a.done)
		a.resp, a.err = transport.RoundTrip(sent)
	}()
	return a
}

// claimedBody is a request's content as an attempt sees it: closing it means something
// only to the winner.
type claimedBody struct {
	io.ReadCloser
	race *race
	over int32
}

func (b *claimedBody) Close() error {
	if b.race.winner.Load() != b.over {
		return nil
	}
	return b.ReadCloser.Close()
}

// result returns what came of the winner, or the only attempt.
func (a *attempt) result(req *http.Request, r *race, over int32) (*http.Response, error) {
	if a.err != nil {
		if r.winner.Load() != over {
			closeBody(req)
		}
		a.cancel(nil)
		return nil, a.err
	}
	a.resp.Request = req
	a.resp.Body = &endingBody{a.resp.Body, a.cancel}
	return a.resp, nil
}

// endingBody ends its attempt's context when it is closed.
type endingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

func (b *endingBody) Close() error {
	err := b.ReadCloser.Close()
	b.cancel(nil)
	return err
}

// within sends a request that has to be connected in time.
func (t *Transport) within(req *http.Request, transport http.RoundTripper) (*http.Response, error) {
	if t.conf.ConnectTimeout <= 0 {
		return transport.RoundTrip(req)
	}
	ctx, cancel := context.WithCancelCause(req.Context())
	late := time.AfterFunc(t.conf.ConnectTimeout, func() { cancel(ConnectTimeoutError(t.conf.ConnectTimeout)) })
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { late.Stop() }})
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	late.Stop()
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return nil, err
	}
	resp.Request = req
	resp.Body = &endingBody{resp.Body, cancel}
	return resp, nil
}

// originOf returns "host:port" of a request for https.
func originOf(req *http.Request) string {
	port := req.URL.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(req.URL.Hostname(), port)
}
