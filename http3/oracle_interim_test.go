package http3

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// watchInterim has the interim responses to a request noted.
func watchInterim(v *visit, req *http.Request) *http.Request {
	return req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			if code != 100 {
				v.note("interim %d Link %q X-A %q", code, header.Values("Link"), header.Get("X-A"))
			}
			return nil
		},
		Got100Continue: func() { v.note("100 Continue") },
	}))
}

func getInterim(v *visit) { v.send(watchInterim(v, v.request("GET", "/", nil))) }

// expecting sends a body that waits to be asked for.
func expecting(v *visit, body string) {
	v.send(watchInterim(v, v.request("POST", "/", strings.NewReader(body), "Expect: 100-continue")))
}

// oracleInterim: interim responses and what asks for them.
var oracleInterim = append(family([]int{102, 103, 110, 199}, func(status int) behaviour {
	return behaviour{
		name: fmt.Sprint("interim status ", status),
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Link", "</a>; rel=preload")
			w.Header().Add("Link", "</b>; rel=preload")
			w.WriteHeader(status)
			w.Header().Set("X-A", "1")
			io.WriteString(w, "content")
		},
		visit: getInterim,
	}
}), []behaviour{
	{name: "several interim responses", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			w.Header().Set("X-A", fmt.Sprint(i))
			w.WriteHeader(103)
		}
		w.WriteHeader(404)
	}, visit: getInterim},
	{name: "interim response at once", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		v.await()
	}, visit: func(v *visit) {
		req := v.request("GET", "/", nil)
		v.send(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
				v.note("interim %d", code)
				v.happened()
				return nil
			},
		})))
	}},
	{name: "interim response with Content-Length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "3")
		w.WriteHeader(103)
		io.WriteString(w, "abc")
	}, visit: getInterim},
	{name: "interim response after content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "abc")
		w.WriteHeader(103)
	}, visit: getInterim},
	{name: "interim response alone", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
	}, visit: getInterim},
	{name: "interim response nobody watches", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		io.WriteString(w, "abc")
	}},
	{name: "interim response refused", differs: []difference{{http2, "client: no response: an error", "net/http's HTTP/2 hides the hook's error"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		<-r.Context().Done()
	}, visit: func(v *visit) {
		req := v.request("GET", "/", nil)
		v.send(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
			Got1xxResponse: func(code int, header textproto.MIMEHeader) error { return errTest },
		})))
	}},
	{name: "interim response by HEAD", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
	}, visit: func(v *visit) { v.send(watchInterim(v, v.request("HEAD", "/", nil))) }},
	{
		name: "Expect without waiting", handler: echo,
		visit: func(v *visit) { expecting(v, "content") },
	},
	{
		name: "Expect and reading", settings: settings{expectTimeout: time.Hour}, handler: echo,
		visit: func(v *visit) { expecting(v, "content") },
	},
	{
		name: "Expect of a body of unknown length", settings: settings{expectTimeout: time.Hour}, handler: echo,
		visit: func(v *visit) {
			v.send(watchInterim(v, v.request("POST", "/", io.MultiReader(strings.NewReader("content")), "Expect: 100-continue")))
		},
	},
	{
		name: "Expect without a body", differs: []difference{{http2, `client: 100 Continue; 200 OK; length 0; Content-Length: 0; "" | server: length 0, 0 bytes, no error`, "net/http's HTTP/2 asks for content that does not come"}}, settings: settings{expectTimeout: time.Hour}, handler: echo,
		visit: func(v *visit) { v.send(watchInterim(v, v.request("POST", "/", nil, "Expect: 100-continue"))) },
	},
	{
		name: "Expect and a status before reading", settings: settings{expectTimeout: short},
		differs: []difference{
			{http1, `client: 202 Accepted; length 1; Content-Length: 1; Content-Type: text/plain; charset=utf-8; X-A: 1; "7"`, "net/http's HTTP/1.1 holds the header back and does not ask, until the client sends of itself"},
			{http2, `client: 100 Continue; 202 Accepted; length 1; Content-Length: 1; Content-Type: text/plain; charset=utf-8; X-A: 1; "7"`, "net/http's HTTP/2 asks, and holds the header back"},
		},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "1")
			w.WriteHeader(202)
			n, _ := io.Copy(io.Discard, r.Body)
			io.WriteString(w, strconv.FormatInt(n, 10))
		},
		visit: func(v *visit) { expecting(v, "content") },
	},
	{
		name: "Expect and refusal", settings: settings{expectTimeout: time.Hour},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			http.Error(w, "too much", http.StatusRequestEntityTooLarge)
		},
		visit: func(v *visit) {
			body := &watchedBody{Reader: strings.NewReader("content"), v: v}
			v.send(watchInterim(v, v.request("POST", "/", body, "Expect: 100-continue")))
			eventually(func() bool { return body.closed.Load() })
			v.note("read: %v, closed: %v", body.read.Load(), body.closed.Load())
		},
	},
	{
		name: "Expect and a server that keeps silent", settings: settings{expectTimeout: short},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) { v.await(); echo(v, w, r) },
		visit: func(v *visit) {
			body := &watchedBody{Reader: strings.NewReader("content"), v: v, onRead: v.happened}
			v.send(v.request("POST", "/", body, "Expect: 100-continue"))
		},
	},
	{
		name: "Expect and status 100 by hand", settings: settings{expectTimeout: time.Hour},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(100)
			echo(v, w, r)
		},
		visit: func(v *visit) { expecting(v, "content") },
	},
	{
		name: "Expect of something else", differs: []difference{{http2, `client: 200 OK; length 7; Content-Length: 7; Content-Type: text/plain; charset=utf-8; "content" | server: length 7, 7 bytes, no error`, "net/http's HTTP/2 ignores it, as RFC 9110, Section 10.1.1, allows too"}},
		handler: echo,
		visit:   func(v *visit) { v.post("/", "content", "Expect: a-miracle") },
	},
	{
		name: "Expect as the handler sees it", differs: []difference{{http2, `client: 100 Continue; 200 OK; length 0; Content-Length: 0; "" | server: ""`, "net/http's HTTP/2 removes the field"}},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			v.see("%q", r.Header.Get("Expect"))
			io.Copy(io.Discard, r.Body)
		},
		visit: func(v *visit) { expecting(v, "content") },
	},
}...)
