package http3

import (
	"context"
	"errors"
	"net/http"
)

// errRequestCanceled is the error of a request whose Cancel was closed. net/http does
// not export its own, and programs compare the text.
var errRequestCanceled = errors.New("net/http: request canceled")

// exchangeKey is the key, in the context of a request with Cancel, of the function that
// ends it, and so the watch on Cancel.
type exchangeKey struct{}

// cancelOf returns a request's Cancel: deprecated, and in use all the same.
//
//lint:ignore SA1019 what http.Request holds, holds over HTTP/3
func cancelOf(req *http.Request) <-chan struct{} { return req.Cancel }

// cancellable sends a request whose deprecated Cancel, if it has one, ends its context.
// http.Client has it for its Timeout.
func cancellable(req *http.Request, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	if cancelOf(req) == nil {
		return send(req)
	}
	watched, end := watchCancel(req)
	resp, err := send(watched)
	if err != nil {
		end(err)
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

// watchCancel returns a request whose context ends with the request's Cancel, if it has
// one, or with end. That is to be called when it gets no response; else the end of the
// exchange does it.
func watchCancel(req *http.Request) (watched *http.Request, end context.CancelCauseFunc) {
	ctx, end := context.WithCancelCause(req.Context())
	go func() {
		select {
		case <-cancelOf(req):
			end(errRequestCanceled)
		case <-ctx.Done():
		}
	}()
	watched = req.WithContext(context.WithValue(ctx, exchangeKey{}, end))
	if cancelOf(watched) == nil {
		//lint:ignore SA1019 so that endWatch need not look at the context of every request
		watched.Cancel = ctx.Done()
	}
	return watched, end
}

// exchangeEnd returns watchCancel's end for a request that it has returned.
func exchangeEnd(req *http.Request) (end context.CancelCauseFunc, ok bool) {
	if cancelOf(req) == nil {
		return nil, false
	}
	end, ok = req.Context().Value(exchangeKey{}).(context.CancelCauseFunc)
	return end, ok
}

// endWatch ends the watch on a request's Cancel.
func endWatch(req *http.Request) {
	if end, ok := exchangeEnd(req); ok {
		end(nil)
	}
}
