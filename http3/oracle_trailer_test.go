package http3

import (
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// seeTrailers notes a request's trailers before and after its content.
func seeTrailers(v *visit, w http.ResponseWriter, r *http.Request) {
	v.see("announced %q", slices.Sorted(maps.Keys(r.Trailer)))
	content, err := io.ReadAll(r.Body)
	v.see("%q, %s", content, kind(err))
	for _, key := range slices.Sorted(maps.Keys(r.Trailer)) {
		v.see("%s: %q", key, r.Trailer[key])
	}
}

// oracleTrailers: trailers in both directions.
var oracleTrailers = []behaviour{
	{name: "announced trailers", differs: []difference{{http1, `client: 200 OK; length -1; Content-Type: text/plain; charset=utf-8; "content"; trailer X-A: 1; trailer X-B: 2 / 3`, "RFC 9112, Section 7.1.2: only chunked content has trailers, and so no length"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-A, X-B")
		io.WriteString(w, "content")
		w.Header().Set("X-A", "1")
		w.Header().Add("X-B", "2")
		w.Header().Add("X-B", "3")
	}},
	{name: "announced in several fields", differs: []difference{{http1, `client: 200 OK; length -1; Content-Type: text/plain; charset=utf-8; X-A: 1; "content"; trailer X-A: 1; trailer X-B: 2`, "RFC 9112, Section 7.1.2: only chunked content has trailers, and so no length"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Trailer", "X-A")
		w.Header().Add("Trailer", "x-b")
		w.Header().Set("X-A", "1")
		io.WriteString(w, "content")
		w.Header().Set("X-B", "2")
	}},
	{name: "trailers by prefix", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		w.Header().Set(http.TrailerPrefix+"X-A", "1")
	}},
	{name: "announced and never set", differs: []difference{{http1, `client: 200 OK; length -1; Content-Type: text/plain; charset=utf-8; "content"; trailer X-A: `, "RFC 9112, Section 7.1.2: only chunked content has trailers, and so no length"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-A")
		io.WriteString(w, "content")
	}},
	{name: "trailers with Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-A")
		w.(http.Flusher).Flush()
		w.Header().Set("X-A", "1")
	}},
	{name: "trailers without announcement", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "content")
		w.(http.Flusher).Flush()
		w.Header().Set("X-A", "1")
	}},
	{name: "trailer that may not be one", differs: []difference{{http1, "client: no response: an error", "RFC 9110, Section 6.5.1: HTTP/1.1's client refuses the announcement, the server should not have made it"}, {http2, `client: 200 OK; length 7; Content-Length: 7; Content-Type: text/plain; charset=utf-8; "content"; trailer Content-Length: ; trailer Trailer: ; trailer X-A: 1`, "net/http's HTTP/2 lists what was announced, though RFC 9110, Section 6.5.1, excludes it"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Content-Length, X-A, Trailer")
		io.WriteString(w, "content")
		w.Header().Set("X-A", "1")
	}},
	{name: "trailers announced to the client", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-A")
		w.(http.Flusher).Flush()
		v.await()
		w.Header().Set("X-A", "1")
	}, visit: func(v *visit) {
		resp := v.begin(v.request("GET", "/", nil))
		v.note("announced %v", resp.Trailer)
		v.happened()
		v.read(resp)
	}},
	{name: "trailers by HEAD", differs: []difference{{http1, `client: 200 OK; length -1; Content-Type: text/plain; charset=utf-8; Trailer: X-A; ""`, "RFC 9112, Section 7.1.2: without content there are no chunks to have trailers"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-A")
		io.WriteString(w, "content")
		w.Header().Set("X-A", "1")
	}, visit: head},
	{name: "request's trailers", handler: seeTrailers, visit: func(v *visit) {
		req := v.request("POST", "/", io.MultiReader(strings.NewReader("content")))
		req.Trailer = http.Header{"X-A": {"1"}, "X-B": {"2", "3"}}
		v.send(req)
	}},
	{name: "request's trailers set late", handler: seeTrailers, visit: func(v *visit) {
		req := v.request("POST", "/", nil)
		req.Trailer = http.Header{"X-A": nil}
		req.Body = &watchedBody{Reader: io.MultiReader(strings.NewReader("content")), onRead: func() { req.Trailer.Set("X-A", "late") }}
		req.ContentLength = -1
		v.send(req)
	}},
	{name: "request's trailers never set", handler: seeTrailers, visit: func(v *visit) {
		req := v.request("POST", "/", io.MultiReader(strings.NewReader("content")))
		req.Trailer = http.Header{"X-A": nil}
		v.send(req)
	}},
}
