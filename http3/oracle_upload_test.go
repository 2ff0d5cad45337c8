package http3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// echo answers with the request's content.
func echo(v *visit, w http.ResponseWriter, r *http.Request) {
	content, err := io.ReadAll(r.Body)
	v.see("length %d, %d bytes, %s", r.ContentLength, len(content), kind(err))
	w.Write(content)
}

// watchedBody notes what becomes of a request's body.
type watchedBody struct {
	io.Reader
	v            *visit
	onRead       func() // at the first Read
	read, closed atomic.Bool
	err          error // after the content
}

func (b *watchedBody) Read(p []byte) (int, error) {
	if !b.read.Swap(true) && b.onRead != nil {
		b.onRead()
	}
	n, err := b.Reader.Read(p)
	if err == io.EOF && b.err != nil {
		err = b.err
	}
	return n, err
}

func (b *watchedBody) Close() error {
	b.closed.Store(true)
	return nil
}

// posting makes a row of a POST request whose content comes back.
func posting(name string, body func() io.Reader, edit func(r *http.Request)) behaviour {
	return behaviour{name: name, handler: echo, visit: func(v *visit) {
		req := v.request("POST", "/", body())
		if edit != nil {
			edit(req)
		}
		v.send(req)
	}}
}

func text(s string) func() io.Reader { return func() io.Reader { return strings.NewReader(s) } }

// unknown hides a body's length.
func unknown(s string) func() io.Reader {
	return func() io.Reader { return io.MultiReader(strings.NewReader(s)) }
}

// oracleUpload: content of requests.
var oracleUpload = []behaviour{
	posting("content", text("content"), nil),
	posting("content of unknown length", unknown("content"), nil),
	posting("no content", func() io.Reader { return http.NoBody }, nil),
	{name: "empty content of unknown length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		v.see("%d, %s", n, kind(err)) // its length may be known by now
	}, visit: func(v *visit) { v.send(v.request("POST", "/", unknown("")())) }},
	posting("a byte of unknown length", unknown("x"), nil),
	posting("much content", func() io.Reader { return bytes.NewReader(make([]byte, 1<<20)) }, nil),
	posting("much content of unknown length", func() io.Reader { return io.LimitReader(zeros{}, 1<<20) }, nil),
	posting("content by PUT", text("content"), func(r *http.Request) { r.Method = "PUT" }),
	posting("content by DELETE", text("content"), func(r *http.Request) { r.Method = "DELETE" }),
	posting("content by GET", text("content"), func(r *http.Request) { r.Method = "GET" }),
	posting("length known, body without type", unknown("content"), func(r *http.Request) { r.ContentLength = 7 }),
	posting("negative length", text("content"), func(r *http.Request) { r.ContentLength = -1 }),
	differing([]difference{{http2, `client: 200 OK; length 0; Content-Length: 0; "" | server: length 0, 0 bytes, no error`, "net/http's HTTP/2 sends it with the length 0"}}, posting("nil body and a length", func() io.Reader { return nil }, func(r *http.Request) { r.ContentLength = 7 })),
	{name: "body longer than its length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done() // what was announced may arrive whole
	}, visit: func(v *visit) {
		req := v.request("POST", "/", io.MultiReader(strings.NewReader("content")))
		req.ContentLength = 3
		v.send(req)
	}},
	{name: "body shorter than its length", differs: []difference{{http2, `client: 200 OK; length 0; Content-Length: 0; ""`, "net/http's HTTP/2 does not look"}}, handler: echoQuietly, visit: func(v *visit) {
		req := v.request("POST", "/", io.MultiReader(strings.NewReader("content")))
		req.ContentLength = 100
		v.send(req)
	}},
	{name: "body that fails", handler: echoQuietly, visit: func(v *visit) {
		v.send(v.request("POST", "/", &watchedBody{Reader: strings.NewReader("content"), err: errTest}))
	}},
	{name: "body is closed", handler: echo, visit: func(v *visit) {
		body := &watchedBody{Reader: strings.NewReader("content")}
		v.send(v.request("POST", "/", body))
		v.note("closed: %v", eventually(body.closed.Load))
	}},
	{name: "body is closed though unread", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "enough")
	}, visit: func(v *visit) {
		body := &watchedBody{Reader: strings.NewReader("content")}
		v.send(v.request("POST", "/", body))
		v.note("closed: %v", eventually(body.closed.Load))
	}},
	{name: "small body nobody reads", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "enough")
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "body closed by the handler", differs: []difference{{http2, `client: 200 OK; length 0; Content-Length: 0; "" | server: 0, an error`, "net/http's HTTP/2 has an error of its own for it"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		r.Body.Close()
		n, err := r.Body.Read(make([]byte, 10))
		v.see("%d, %s", n, kind(err))
		r.Body.Close()
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "read after the end", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		for range 2 {
			n, err := r.Body.Read(make([]byte, 10))
			v.see("%d, %s", n, kind(err))
		}
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "MaxBytesReader", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4))
		v.see("%q, %s", content, kind(err))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		}
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "MaxBytesReader that is not exceeded", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 7))
		v.see("%q, %s", content, kind(err))
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "answer before the content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		v.see("full duplex: %s", kind(rc.EnableFullDuplex()))
		io.WriteString(w, "early")
		rc.Flush()
		content, err := io.ReadAll(r.Body)
		v.see("%q, %s", content, kind(err))
		io.WriteString(w, " late")
	}, visit: func(v *visit) {
		pr, pw := io.Pipe()
		go func() {
			io.WriteString(pw, "con")
			v.await()
			io.WriteString(pw, "tent")
			pw.Close()
		}()
		resp := v.begin(v.request("POST", "/", pr))
		if resp != nil {
			v.happened()
			v.read(resp)
		}
	}},
	{name: "read deadline", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("%s", kind(http.NewResponseController(w).SetReadDeadline(time.Now().Add(short))))
		_, err := io.ReadAll(r.Body)
		v.see("timeout: %v", errors.Is(err, os.ErrDeadlineExceeded))
		io.WriteString(w, "timed out")
	}, visit: func(v *visit) {
		pr, pw := io.Pipe()
		defer pw.Close()
		resp, err := v.client.Do(v.request("POST", "/", pr))
		if err == nil {
			content, _ := io.ReadAll(resp.Body)
			v.note("%d %q", resp.StatusCode, content)
			resp.Body.Close()
		}
	}},
	{name: "deadlines that are far away", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		v.see("%s, %s", kind(rc.SetReadDeadline(time.Now().Add(time.Hour))), kind(rc.SetWriteDeadline(time.Now().Add(time.Hour))))
		echo(v, w, r)
		v.see("%s, %s", kind(rc.SetReadDeadline(time.Time{})), kind(rc.SetWriteDeadline(time.Time{})))
	}, visit: func(v *visit) { v.post("/", "content") }},
	{name: "GetBody and a redirect", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next", http.StatusTemporaryRedirect)
			return
		}
		echo(v, w, r)
	}, visit: func(v *visit) { v.post("/", "content") }},
}

// echoQuietly is echo for requests that fail in the middle, of which it depends
// on the time how much arrives.
func echoQuietly(v *visit, w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err == nil {
		io.WriteString(w, "complete")
	}
}
