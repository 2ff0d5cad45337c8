package http3

import (
	"context"
	"net/http"
	"sync/atomic"

	"github.com/godwit-quic/godwit/internal/h3"
)

// waiting is RoundTrip's wait for the response. It is woken once, unless the request has
// content to be sent, or hooks to be called.
type waiting struct {
	stage atomic.Uint32
	news  atomic.Uint32
	wake  chan struct{} // has room for one

	// What is told of:
	sendErr error              // of the request
	interim *h3.ResponseHeader // which waits for hooks
	resp    *http.Response
	failure error // why there is no response
	moved   bool  // the request is to be sent on another connection
}

// The stages of a request, which the loop and RoundTrip's goroutine agree on:
//
//	stageQueued ──▶ stageBegun ──▶ stageOver
//	     └──────────────┴────────▶ stageGivenUp
//
// RoundTrip gives a request up when its context ends. What the loop finds out after that,
// it keeps to itself.
const (
	stageQueued = iota
	stageBegun
	stageOver
	stageGivenUp
)

// What RoundTrip is told, a bit each, in the order in which it acts on them.
const (
	newsSent      = 1 << iota // the request, or its header
	newsFirstByte             // has come, and a hook wants to know
	newsInterim               // there is an interim response for hooks
	newsOver                  // there is a response, or will not be
)

// tell tells RoundTrip. On the loop.
func (st *clientStream) tell(news uint32) {
	st.conn.woke = true
	st.waiting.news.Or(news)
	select {
	case st.waiting.wake <- struct{}{}:
	default: // is told already
	}
}

// await waits until the response has begun. The error says why it has not.
func (st *clientStream) await() error {
	ctx := st.req.Context()
	done := ctx.Done()
	for {
		if done == nil {
			<-st.waiting.wake
		} else {
			select {
			case <-st.waiting.wake:
			case <-done:
				if gaveUp := st.giveUp(context.Cause(ctx)); gaveUp != nil {
					return gaveUp
				}
				done = nil // it was over at the same moment
				continue
			}
		}
		news := st.waiting.news.Swap(0)
		if news&newsSent != 0 {
			st.sent()
		}
		if news&newsFirstByte != 0 {
			st.firstByte()
		}
		if news&newsInterim != 0 {
			st.tellInterim()
		}
		if news&newsOver != 0 {
			return st.waiting.failure
		}
	}
}

// giveUp ends the wait for a reason, which it returns, unless that is over already.
func (st *clientStream) giveUp(cause error) error {
	for stage := st.waiting.stage.Load(); stage != stageOver; stage = st.waiting.stage.Load() {
		switch {
		case !st.waiting.stage.CompareAndSwap(stage, stageGivenUp):
		case stage == stageQueued:
			return &unbegunError{cause}
		default:
			st.conn.Post(func() { st.end(nil) })
			return cause
		}
	}
	return nil
}

// end ends a request that has begun from this end, and whose response has not. On the loop.
func (st *clientStream) end(err error) {
	if !st.over {
		st.endWith(err, h3.RequestCancelled)
	}
}

// endWith is end with a code of its own.
func (st *clientStream) endWith(err error, code h3.ErrorCode) {
	st.finish(err) // before the machine has something to say to that
	cancel(st.Ref, code)
	st.SetHandler(nil)
	st.body.rs.Abandon()
}

// finish tells RoundTrip how the request has ended: with a response, or an error. On the
// loop.
func (st *clientStream) finish(err error) {
	if st.over {
		return
	}
	st.over = true
	st.conn.awaited.remove(st)
	if st.timer.Pending() {
		st.conn.turn.StopTimer(&st.timer)
	}
	if st.waiting.stage.Load() == stageGivenUp {
		return
	}
	st.waiting.failure = err
	if st.waiting.stage.CompareAndSwap(stageBegun, stageOver) {
		st.tell(newsOver)
	}
}
