package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"time"
)

// seeEnd notes that a request's context has ended.
func seeEnd(v *visit, r *http.Request) {
	select {
	case <-r.Context().Done():
		v.see("context: %s", kind(r.Context().Err()))
		if cause := context.Cause(r.Context()); !errors.Is(cause, context.Canceled) {
			v.see("its cause is another: %v", cause)
		}
	case <-time.After(20 * short):
		v.see("context: goes on")
	}
}

// abortAtEnd is seeEnd for handlers that have nothing to say afterwards: over
// HTTP/1.1, the end of a response could still arrive at a client that is gone.
func abortAtEnd(v *visit, r *http.Request) {
	seeEnd(v, r)
	panic(http.ErrAbortHandler)
}

// oracleEnds: requests and responses that end before they are complete.
var oracleEnds = []behaviour{
	{name: "panic", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { panic("as the test wants it") }},
	{name: "panic after content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		panic("as the test wants it")
	}},
	{name: "panic after Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		v.await()
		panic("as the test wants it")
	}, visit: readWhole},
	{name: "ErrAbortHandler", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }},
	{name: "ErrAbortHandler after Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		v.await()
		panic(http.ErrAbortHandler)
	}, visit: readWhole},
	{name: "ErrAbortHandler within Content-Length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		v.await()
		panic(http.ErrAbortHandler)
	}, visit: readWhole},
	{name: "ErrAbortHandler right after Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}},
	{name: "ErrAbortHandler before what is held back", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.WriteString(w, "content")
		panic(http.ErrAbortHandler)
	}},
	{name: "Goexit", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { runtime.Goexit() }},
	{name: "context during the handler", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%v", r.Context().Err())
	}},
	{name: "context after the handler", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		v.running.Add(1)
		go func() {
			defer v.running.Add(-1)
			<-ctx.Done()
			v.see("%s", kind(ctx.Err()))
		}()
	}},
	{name: "request cancelled before the response", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.happened()
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		ctx, cancel := context.WithCancel(v.ctx)
		go func() { v.await(); cancel() }()
		v.send(v.request("GET", "/", nil).WithContext(ctx))
		ended(v)
	}},
	{name: "request cancelled during the response", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		ctx, cancel := context.WithCancel(v.ctx)
		resp := v.begin(v.request("GET", "/", nil).WithContext(ctx))
		io.ReadFull(resp.Body, make([]byte, 7))
		cancel()
		v.read(resp)
		ended(v)
	}},
	{name: "response closed early", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		resp := v.begin(v.request("GET", "/", nil))
		v.note("close: %s", kind(resp.Body.Close()))
		_, err := resp.Body.Read(make([]byte, 1))
		v.note("read: %v", err != nil)
		ended(v)
	}},
	{name: "request cancelled during the upload", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.ReadFull(r.Body, make([]byte, 7))
		v.happened()
		_, err := io.ReadAll(r.Body)
		v.see("read fails: %v", err != nil)
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		ctx, cancel := context.WithCancel(v.ctx)
		pr, pw := io.Pipe()
		defer pw.Close()
		go func() {
			io.WriteString(pw, "content")
			v.await()
			cancel()
			pw.CloseWithError(context.Canceled) // HTTP/1.1's transport waits for it
		}()
		v.send(v.request("POST", "/", pr).WithContext(ctx))
		ended(v)
	}},
	{name: "request cancelled that nobody reads", differs: []difference{{http1, "client: no response: context canceled | server: context: goes on", "RFC 9112, Section 9.6: HTTP/1.1's server learns of the end only after the content, which nobody reads"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.happened()
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		ctx, cancel := context.WithCancel(v.ctx)
		pr, pw := io.Pipe()
		defer pw.Close()
		go func() {
			v.await()
			cancel()
			pw.CloseWithError(context.Canceled)
		}()
		v.send(v.request("POST", "/", pr).WithContext(ctx))
		ended(v)
	}},
	{name: "write after the client is gone", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		seeEnd(v, r)
		var err error
		for range 1000 {
			if _, err = w.Write(make([]byte, 10_000)); err != nil {
				break
			}
		}
		v.see("write fails: %v", err != nil)
	}, visit: func(v *visit) {
		resp := v.begin(v.request("GET", "/", nil))
		resp.Body.Close()
		ended(v)
	}},
	{name: "cause of the cancellation", differs: []difference{{http2, `client: 200 OK; length -1; ""; then context canceled | server: context: context canceled`, "net/http's HTTP/2 does not tell the cause"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		ctx, cancel := context.WithCancelCause(v.ctx)
		resp := v.begin(v.request("GET", "/", nil).WithContext(ctx))
		cancel(errTest)
		v.read(resp)
		ended(v)
	}},
	{name: "client's deadline", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { abortAtEnd(v, r) }, visit: func(v *visit) {
		ctx, cancel := context.WithTimeout(v.ctx, short)
		defer cancel()
		v.send(v.request("GET", "/", nil).WithContext(ctx))
		ended(v)
	}},
	{name: "client's timeout", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { abortAtEnd(v, r) }, visit: func(v *visit) {
		v.client.Timeout = short
		_, err := v.client.Do(v.request("GET", "/", nil))
		t, ok := err.(interface{ Timeout() bool })
		v.note("timeout: %v", ok && t.Timeout())
		ended(v)
	}},
	{name: "client's timeout during the response", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		abortAtEnd(v, r)
	}, visit: func(v *visit) {
		v.client.Timeout = 4 * short
		resp := v.begin(v.request("GET", "/", nil))
		if resp != nil {
			_, err := io.ReadAll(resp.Body)
			t, ok := err.(interface{ Timeout() bool })
			v.note("timeout: %v", ok && t.Timeout())
			resp.Body.Close()
		}
		ended(v)
	}},
	{name: "request cancelled before it is sent", handler: describeRequest, visit: func(v *visit) {
		ctx, cancel := context.WithCancel(v.ctx)
		cancel()
		body := &watchedBody{Reader: strings.NewReader("content")}
		v.send(v.request("POST", "/", body).WithContext(ctx))
		v.note("read: %v, closed: %v", body.read.Load(), eventually(body.closed.Load))
	}},
	{name: "next request after a reset", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
	}, visit: func(v *visit) {
		v.get("/abort")
		v.get("/")
	}},
}

// ended waits until the server has seen a request's end.
func ended(v *visit) {
	eventually(func() bool { return strings.Contains(v.observed(), "context: ") })
}

// readWhole lets the handler go on when the header is there.
func readWhole(v *visit) {
	if resp := v.begin(v.request("GET", "/", nil)); resp != nil {
		io.ReadFull(resp.Body, make([]byte, 7))
		v.happened()
		v.read(resp)
	}
}
