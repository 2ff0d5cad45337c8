package main

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// transientStatuses are those after which --retry tries again, as curl does.
var transientStatuses = []int{
	http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// maxRetryDelay is how long curl waits at most, unless the server wants it longer.
const maxRetryDelay = 10 * time.Minute

// toRetry reports whether a response is not to be written, as another is asked for.
func (t *transfer) toRetry(resp *http.Response) bool {
	return t.left > 0 && slices.Contains(transientStatuses, resp.StatusCode)
}

// retry reports whether to try again after an error, and when.
func (t *transfer) retry(err error, try int, since time.Duration) (pause time.Duration, again bool) {
	opts := t.f.opts
	if err == nil || errors.Is(err, errInterrupted) || t.left == 0 || !t.repeatable() {
		return 0, false
	}
	status := t.resp != nil && slices.Contains(transientStatuses, t.resp.StatusCode) && exitCode(err) == exitHTTPStatus
	if !status && !isTimeout(err) && !opts.retryAllErrors && !(opts.retryRefused && errors.Is(err, syscall.ECONNREFUSED)) {
		return 0, false
	}
	pause = min(time.Second<<min(try, 20), maxRetryDelay)
	if opts.retryDelay > 0 {
		pause = time.Duration(opts.retryDelay)
	}
	if status {
		if after, ok := retryAfter(t.resp.Header.Get("Retry-After"), time.Now()); ok {
			pause = after
		}
	}
	if limit := time.Duration(opts.retryMaxTime); limit > 0 && since+pause > limit {
		return 0, false
	}
	t.left--
	return pause, true
}

// repeatable reports whether the request can be sent once more, and its response written.
func (t *transfer) repeatable() bool {
	return (t.plan.body == nil || !t.plan.body.once()) && (isFile(t.plan.output) || t.downloaded.Load() == 0)
}

// retryAfter reads the field of this name (RFC 9110, Section 10.2.3).
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if n, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(n) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil || at.Before(now) {
		return 0, false
	}
	return at.Sub(now), true
}
