package http3

import (
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing/fstest"
	"time"
)

// by serves with a handler that knows nothing of the test.
func by(h http.Handler) func(v *visit, w http.ResponseWriter, r *http.Request) {
	return func(v *visit, w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }
}

// getEach gets several paths.
func getEach(paths ...string) func(v *visit) {
	return func(v *visit) {
		for _, path := range paths {
			v.get(path)
		}
	}
}

var testTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

var testFiles = fstest.MapFS{
	"index.html":   {Data: []byte("<p>index"), ModTime: testTime},
	"a.txt":        {Data: []byte("file a"), ModTime: testTime},
	"dir/b.css":    {Data: []byte("p{}"), ModTime: testTime},
	"dir/c.bin":    {Data: make([]byte, 100_000), ModTime: testTime},
	"other/.hid":   {Data: []byte("hidden"), ModTime: testTime},
	"empty/x/.bin": {Data: nil, ModTime: testTime},
}

var testMux = func() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /items/{id}", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "item "+r.PathValue("id")) })
	mux.HandleFunc("/tree/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "tree "+r.Pattern) })
	mux.HandleFunc("other.example/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "other host") })
	return mux
}()

// oracleHandlers: the standard library's handlers.
var oracleHandlers = []behaviour{
	{name: "NotFound", handler: by(http.NotFoundHandler())},
	{name: "Error", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "12345")
		http.Error(w, "no\nway", http.StatusForbidden)
	}},
	{name: "mux", handler: by(testMux), visit: getEach("/items/7", "/tree/x/y", "/nothing")},
	{name: "mux and a slash", handler: by(testMux), visit: getEach("/tree")},
	{name: "mux and dots", handler: by(testMux), visit: getEach("/tree/../items/8", "//items/9")},
	{name: "mux and a wrong method", handler: by(testMux), visit: func(v *visit) { v.post("/items/7", "x") }},
	{name: "mux and HEAD", handler: by(testMux), visit: func(v *visit) { v.send(v.request("HEAD", "/items/7", nil)) }},
	{name: "mux by host", handler: by(testMux), visit: func(v *visit) {
		req := v.request("GET", "/x", nil)
		req.Host = "other.example"
		v.send(req)
	}},
	{name: "StripPrefix", handler: by(http.StripPrefix("/a", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.URL.Path)
	}))), visit: getEach("/a/b", "/c")},
	{name: "TimeoutHandler in time", handler: by(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "1")
		io.WriteString(w, "in time")
	}), time.Hour, "too late"))},
	{name: "TimeoutHandler too late", handler: by(http.TimeoutHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}), short, "too late"))},
	{name: "MaxBytesHandler", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, err := io.Copy(io.Discard, r.Body)
			v.see("%s", kind(err))
		}), 3).ServeHTTP(w, r)
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "AllowQuerySemicolons", handler: by(http.AllowQuerySemicolons(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.FormValue("y"))
	}))), visit: getEach("/?x=1;y=2")},
	{name: "FileServer", handler: by(http.FileServerFS(testFiles)), visit: getEach("/", "/a.txt", "/dir/b.css", "/dir/c.bin")},
	{name: "FileServer and what is not there", handler: by(http.FileServerFS(testFiles)), visit: getEach("/none", "/a.txt/")},
	{name: "FileServer and a directory", handler: by(http.FileServerFS(testFiles)), visit: getEach("/dir", "/dir/")},
	{name: "FileServer and an index", handler: by(http.FileServerFS(testFiles)), visit: getEach("/index.html")},
	{name: "FileServer and HEAD", handler: by(http.FileServerFS(testFiles)), visit: func(v *visit) { v.send(v.request("HEAD", "/dir/c.bin", nil)) }},
	{name: "FileServer and POST", handler: by(http.FileServerFS(testFiles)), visit: func(v *visit) { v.post("/a.txt", "x") }},
	{name: "reverse proxy", differs: []difference{{http1, `client: interim 103 Link [] X-A ""; 200 OK; length -1; Content-Type: text/plain; charset=utf-8; "content"; trailer X-T: 1 | server: /through, 1`, "RFC 9112, Section 7.1.2: only chunked content has trailers, and so no length"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" {
			v.see("%s, %s", r.URL.Path, r.Header.Get("X-A"))
			w.Header().Set("Trailer", "X-T")
			w.WriteHeader(103)
			io.Copy(w, r.Body)
			w.Header().Set("X-T", "1")
			return
		}
		target, _ := url.Parse(v.url)
		proxy := &httputil.ReverseProxy{
			Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(target); p.SetXForwarded() },
			Transport: v.client.Transport,
			ErrorLog:  log.New(io.Discard, "", 0),
		}
		proxy.ServeHTTP(w, r)
	}, visit: func(v *visit) {
		v.send(watchInterim(v, v.request("POST", "/through", strings.NewReader("content"), "X-A: 1")))
	}},
	{name: "reverse proxy of much", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Forwarded-For") != "" {
			content, err := io.ReadAll(r.Body)
			v.see("%d bytes, %s", len(content), kind(err))
			w.Write(content)
			return
		}
		target, _ := url.Parse(v.url)
		proxy := &httputil.ReverseProxy{
			Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(target); p.SetXForwarded() },
			Transport: v.client.Transport,
		}
		proxy.ServeHTTP(w, r)
	}, visit: func(v *visit) { v.send(v.request("PUT", "/", io.LimitReader(zeros{}, 1<<20))) }},
	{name: "ResponseController of a wrapper", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(wrapper{w})
		io.WriteString(w, "content")
		v.see("%s, %s, %s, %s", kind(rc.Flush()), kind(rc.EnableFullDuplex()), kind(rc.SetReadDeadline(time.Time{})), kind(rc.SetWriteDeadline(time.Time{})))
	}},
	{name: "push", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		if pusher, ok := w.(http.Pusher); ok {
			v.see("%s", kind(pusher.Push("/other", nil)))
			return
		}
		v.see("%s", kind(http.ErrNotSupported))
	}},
}

// wrapper hides all of a ResponseWriter that http.ResponseController needs but
// Unwrap.
type wrapper struct{ inner http.ResponseWriter }

func (w wrapper) Header() http.Header         { return w.inner.Header() }
func (w wrapper) Write(p []byte) (int, error) { return w.inner.Write(p) }
func (w wrapper) WriteHeader(status int)      { w.inner.WriteHeader(status) }
func (w wrapper) Unwrap() http.ResponseWriter { return w.inner }

// oracleRanges: ServeContent.
var oracleRanges = append(family([]string{
	"Range: bytes=0-3", "Range: bytes=3-", "Range: bytes=-3", "Range: bytes=0-0", "Range: bytes=0-1,4-5", "Range: bytes=100-", "Range: bytes=5-2",
	"Range: lines=1-2", "If-Modified-Since: Fri, 02 Jan 2026 03:04:05 GMT", "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
	"If-None-Match: \"tag\"", "If-None-Match: \"other\"", "If-Match: \"other\"", "If-Unmodified-Since: Thu, 01 Jan 2026 00:00:00 GMT",
}, func(field string) behaviour {
	return behaviour{name: "ServeContent " + field, handler: serveContent, visit: func(v *visit) {
		resp, err := v.client.Do(v.request("GET", "/", nil, field))
		if err != nil {
			v.note("%s", kind(err))
			return
		}
		defer resp.Body.Close()
		content, err := io.ReadAll(resp.Body)
		boundary, multipart := strings.CutPrefix(resp.Header.Get("Content-Type"), "multipart/byteranges; boundary=")
		if multipart { // which is random
			content = []byte(strings.ReplaceAll(string(content), boundary, "boundary"))
		}
		v.note("%s, multipart %v, %d, range %q, tag %q", resp.Status, multipart, resp.ContentLength, resp.Header.Get("Content-Range"), resp.Header.Get("Etag"))
		v.note("%q, %s", content, kind(err))
	}}
}), behaviour{name: "If-Range", handler: serveContent, visit: func(v *visit) {
	v.get("/", "Range: bytes=1-2", "If-Range: \"tag\"")
	v.get("/", "Range: bytes=1-2", "If-Range: \"other\"")
}})

func serveContent(v *visit, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Etag", `"tag"`)
	http.ServeContent(w, r, "name.txt", testTime, strings.NewReader("0123456789"))
}
