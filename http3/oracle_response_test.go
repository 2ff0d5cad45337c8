package http3

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// family makes rows that differ in one value.
func family[T any](values []T, row func(value T) behaviour) []behaviour {
	rows := make([]behaviour, 0, len(values))
	for _, value := range values {
		rows = append(rows, row(value))
	}
	return rows
}

// oracleStatus: the status of a response and what follows from it.
var oracleStatus = append(family([]int{200, 201, 202, 204, 205, 206, 226, 299, 304, 307, 400, 404, 418, 451, 500, 503, 599, 999}, func(status int) behaviour {
	row := behaviour{
		name: "status " + strconv.Itoa(status),
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			_, err := io.WriteString(w, "content")
			v.see("write: %s", kind(err))
		},
	}
	if http.StatusText(status) == "" {
		const observed = `client: %d status code %[1]d; length 7; Content-Length: 7; Content-Type: text/plain; charset=utf-8; "content" | server: write: no error`
		row.differs = []difference{{
			http1, fmt.Sprintf(observed, status),
			"RFC 9114, Section 4.3.2: there is no reason phrase, and HTTP/1.1's server sends one",
		}}
	}
	return row
}), []behaviour{
	{name: "no status and no content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}},
	{name: "status without content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }},
	{name: "second status", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(202)
		w.WriteHeader(500)
	}},
	{name: "status after content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first")
		w.WriteHeader(500)
	}},
	{name: "status 99", handler: statusPanics(99)},
	{name: "status 1000", handler: statusPanics(1000)},
	{name: "status 0", handler: statusPanics(0)},
}...)

// statusPanics notes that a status is a bug.
func statusPanics(status int) func(v *visit, w http.ResponseWriter, r *http.Request) {
	return func(v *visit, w http.ResponseWriter, r *http.Request) {
		defer func() { v.see("panic: %v", recover() != nil) }()
		w.WriteHeader(status)
	}
}

// oracleHeader: fields of responses.
var oracleHeader = []behaviour{
	{name: "fields of any case", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("x-lower-CASE", "1")
		w.Header()["not-canonical"] = []string{"2"}
	}},
	{name: "field with several values", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Many"] = []string{"one", "two, three", ""}
	}},
	{name: "cookies", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", HttpOnly: true})
		http.SetCookie(w, &http.Cookie{Name: "b", Value: "2", MaxAge: 5})
	}},
	{name: "empty value", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Empty", "") }},
	{name: "no values", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header()["X-None"] = nil }},
	{name: "value with blanks around", differs: []difference{{http2, "client: 200 OK; length 0; Content-Length: 0; X-Blank:  a b\t; \"\"", "net/http's HTTP/2 keeps the blanks, though RFC 9110, Section 5.5, says that they are not part of the value"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Blank", " a b\t") }},
	{
		name: "value with a line end", differs: []difference{{http1, `client: 200 OK; length 0; Content-Length: 0; X-Evil: a  X-Injected: b; ""`, "RFC 9114, Section 10.3: such a value must not be sent; HTTP/1.1 puts blanks into it"}},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Evil", "a\r\nX-Injected: b") },
	},
	{name: "name that is none", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header()["bad name"] = []string{"1"} }},
	{name: "value beyond ASCII", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Text", "grüße") }},
	{name: "header changed after the status", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Before", "1")
		w.WriteHeader(200)
		w.Header().Set("X-Before", "2")
		w.Header().Set("X-After", "1")
	}},
	{name: "header changed after content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "x")
		w.Header().Set("X-After", "1")
	}},
	{name: "header after the response", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		v.see("%d fields", len(w.Header()))
	}},
	{name: "own Date", handler: func(v *visit, w http.ResponseWriter, r *http.Request) { w.Header().Set("Date", "yesterday") }},
	{name: "no Date", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header()["Date"] = nil
	}, visit: func(v *visit) {
		resp, err := v.client.Do(v.request("GET", "/", nil))
		if err == nil {
			_, ok := resp.Header["Date"]
			v.note("Date: %v", ok)
			resp.Body.Close()
		}
	}},
	{name: "Date by itself", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}, visit: func(v *visit) {
		resp, err := v.client.Do(v.request("GET", "/", nil))
		if err == nil {
			date, err := http.ParseTime(resp.Header.Get("Date"))
			v.note("now: %v, %v", time.Since(date).Abs() < time.Minute, err)
			resp.Body.Close()
		}
	}},
	{name: "Connection: close", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		io.WriteString(w, "bye")
	}},
	{
		name: "fields of a connection", differs: []difference{{http3, `client: 200 OK; length 0; Content-Length: 0; X-Kept: 1; ""`, "RFC 9114, Section 4.2: fields of a connection are not sent"}},
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Keep-Alive", "timeout=5")
			w.Header().Set("Proxy-Connection", "keep-alive")
			w.Header().Set("Upgrade", "h2c")
			w.Header().Set("X-Kept", "1")
		},
	},
	{name: "large field", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Large", strings.Repeat("x", 20_000))
	}},
	{name: "many fields", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		for i := range 200 {
			w.Header().Set("X-"+strconv.Itoa(i), strconv.Itoa(i))
		}
	}},
}

// oracleContent: the content of responses, its length and its type.
var oracleContent = append(family([]string{"", "plain text", "<html><body>", "\x89PNG\r\n\x1a\n", "%PDF-1.7", "\x00\x01\x02\x03", "{\"a\":1}", "\x1f\x8b\x08"}, func(content string) behaviour {
	return behaviour{
		name:    fmt.Sprintf("type of %q", content),
		handler: func(v *visit, w http.ResponseWriter, r *http.Request) { io.WriteString(w, content) },
	}
}), []behaviour{
	{name: "own Content-Type", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		io.WriteString(w, "<html>")
	}},
	{name: "no Content-Type", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = nil
		io.WriteString(w, "<html>")
	}},
	{name: "type with a Content-Encoding", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		io.WriteString(w, "<html>")
	}},
	{name: "type of two writes", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "<ht")
		io.WriteString(w, "ml>")
	}},
	{name: "length of several writes", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		for range 10 {
			io.WriteString(w, "0123456789")
		}
	}},
	{name: "length of much", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		n, err := w.Write(make([]byte, 100_000))
		v.see("%d, %s", n, kind(err))
	}},
	{name: "length with Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "one")
		w.(http.Flusher).Flush()
		io.WriteString(w, "two")
	}},
	{name: "Flush before anything", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
	}},
	{name: "header arrives with Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		v.see("flush: %s", kind(http.NewResponseController(w).Flush()))
		v.await()
		io.WriteString(w, "later")
	}, visit: func(v *visit) {
		if resp := v.begin(v.request("GET", "/", nil)); resp != nil {
			v.happened()
			v.read(resp)
		}
	}},
	{name: "content arrives with Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		for range 3 {
			io.WriteString(w, "piece")
			w.(http.Flusher).Flush()
			v.await()
		}
	}, visit: func(v *visit) {
		resp := v.begin(v.request("GET", "/", nil))
		for range 3 {
			buf := make([]byte, 5)
			_, err := io.ReadFull(resp.Body, buf)
			v.note("%q, %s", buf, kind(err))
			v.happened()
		}
		v.read(resp)
	}},
	{name: "own Content-Length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "12345")
	}},
	{name: "Content-Length and Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "6")
		io.WriteString(w, "123")
		w.(http.Flusher).Flush()
		io.WriteString(w, "456")
	}},
	{name: "more than Content-Length", differs: []difference{{http2, `client: 200 OK; length 5; Content-Length: 5; Content-Type: text/plain; charset=utf-8; "12345"; then an error | server: 7, no error`, "net/http's HTTP/2 sends what is too much, of one write"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		n, err := io.WriteString(w, "1234567")
		v.see("%d, %s", n, kind(err))
	}},
	{name: "more than Content-Length, later", differs: []difference{{http2, `client: 200 OK; length 5; Content-Length: 5; Content-Type: text/plain; charset=utf-8; "12345"; then an error | server: 2, no error`, "net/http's HTTP/2 sends what is too much"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "12345")
		n, err := io.WriteString(w, "67")
		v.see("%d, %s", n, kind(err))
	}},
	{name: "less than Content-Length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		io.WriteString(w, "123")
	}},
	{name: "less than Content-Length after Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		io.WriteString(w, "123")
		w.(http.Flusher).Flush()
		io.WriteString(w, "456")
	}},
	{name: "less than Content-Length after an empty Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9")
		w.(http.Flusher).Flush()
		io.WriteString(w, "123")
	}},
	{name: "no Content-Length wanted", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Length"] = nil
		io.WriteString(w, "123")
	}},
	{name: "invalid status, too late", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(202)
		w.WriteHeader(0)
		io.WriteString(w, "content")
	}},
	{name: "Content-Length without content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
	}},
	{name: "Content-Length of zero", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "0")
	}},
	{name: "Content-Length that is no number", differs: []difference{{http1, `client: 200 OK; length -1; Content-Type: text/plain; charset=utf-8; "12345"`, "RFC 9112, Section 6.3: HTTP/1.1 falls back to chunked content"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "five")
		io.WriteString(w, "12345")
	}},
	{name: "negative Content-Length", differs: []difference{{http1, `client: 200 OK; length -1; Content-Type: text/plain; charset=utf-8; "12345"`, "RFC 9112, Section 6.3: HTTP/1.1 falls back to chunked content"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "-5")
		io.WriteString(w, "12345")
	}},
	{name: "empty write", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		n, err := w.Write(nil)
		v.see("%d, %s", n, kind(err))
	}},
	{name: "WriteString", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		_, ok := w.(io.StringWriter)
		v.see("%v", ok)
	}},
	{name: "copy of much", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(w, io.LimitReader(zeros{}, 1<<20))
		v.see("%d, %s", n, kind(err))
	}},
	{name: "HEAD", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "1")
		n, err := io.WriteString(w, "not sent")
		v.see("%d, %s", n, kind(err))
	}, visit: head},
	{name: "HEAD without content", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {}, visit: head},
	{name: "HEAD with Content-Length", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "1234")
	}, visit: head},
	{name: "HEAD with much", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		n, err := w.Write(make([]byte, 100_000))
		v.see("%d, %s", n, kind(err))
	}, visit: head},
	{name: "HEAD with Flush", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "not sent")
		w.(http.Flusher).Flush()
	}, visit: head},
	{name: "HEAD and status 404", handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		http.NotFound(w, r)
	}, visit: head},
	{name: "204 with Content-Length", differs: []difference{{http2, `client: 204 No Content; length 5; Content-Length: 5; ""; then an error`, "net/http's HTTP/2 sends it, though RFC 9110, Section 8.6, forbids it"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.WriteHeader(204)
	}},
	{name: "304 with Content-Length", differs: []difference{{http2, `client: 304 Not Modified; length 5; Content-Length: 5; Content-Type: text/html; ""; then an error`, "net/http's HTTP/2 sends the length and then misses the content"}}, handler: func(v *visit, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "5")
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(304)
	}},
}...)

func head(v *visit) { v.send(v.request("HEAD", "/", nil)) }

// zeros is content without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
