package http_test

import (
	"io"
	. "net/http"
	"testing"
	"time"
)

// saysWhere answers with the address that a request came from, so with the connection.
func saysWhere(w ResponseWriter, r *Request) { io.WriteString(w, r.RemoteAddr) }

// TestGodwitConnectionLost: a connection that the server has closed is not used again.
func TestGodwitConnectionLost(t *testing.T) { run(t, testGodwitConnectionLost) }
func testGodwitConnectionLost(t *testing.T, mode testMode) {
	const idle = 100 * time.Millisecond
	cst := newClientServerTest(t, mode, HandlerFunc(saysWhere), func(s *Server) { s.IdleTimeout = idle })
	first := cst.getURL(cst.ts.URL)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(2 * idle) {
		if second := cst.getURL(cst.ts.URL); second != first {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the connection is still there")
		}
	}
}

// TestGodwitDisableKeepAlives: each request has a connection of its own.
func TestGodwitDisableKeepAlives(t *testing.T) { run(t, testGodwitDisableKeepAlives) }
func testGodwitDisableKeepAlives(t *testing.T, mode testMode) {
	cst := newClientServerTest(t, mode, HandlerFunc(saysWhere), func(tr *Transport) { tr.DisableKeepAlives = true })
	if one, two := cst.getURL(cst.ts.URL), cst.getURL(cst.ts.URL); one == two {
		t.Errorf("both came from %s", one)
	}
}

// TestGodwitShortBody: of a response that is too short, header and content arrive, then an error.
func TestGodwitShortBody(t *testing.T) { run(t, testGodwitShortBody) }
func testGodwitShortBody(t *testing.T, mode testMode) {
	cst := newClientServerTest(t, mode, HandlerFunc(func(w ResponseWriter, r *Request) {
		w.Header().Set("Content-Length", "123")
		io.WriteString(w, "not as much")
	}))
	res, err := cst.c.Get(cst.ts.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "not as much" || err == nil {
		t.Errorf("%q, %v", b, err)
	}
}

// TestGodwitHostBeyondASCII: a host goes out as IDNA has it.
func TestGodwitHostBeyondASCII(t *testing.T) { run(t, testGodwitHostBeyondASCII) }
func testGodwitHostBeyondASCII(t *testing.T, mode testMode) {
	cst := newClientServerTest(t, mode, HandlerFunc(func(w ResponseWriter, r *Request) { io.WriteString(w, r.Host) }))
	req, _ := NewRequest("GET", cst.ts.URL, nil)
	req.Host = "bücher.example"
	res, err := cst.c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if b, err := io.ReadAll(res.Body); string(b) != "xn--bcher-kva.example" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

// TestGodwitAbort: a handler that ends by ErrAbortHandler is an error at the client.
func TestGodwitAbort(t *testing.T) { run(t, testGodwitAbort) }
func testGodwitAbort(t *testing.T, mode testMode) {
	cst := newClientServerTest(t, mode, HandlerFunc(func(ResponseWriter, *Request) { panic(ErrAbortHandler) }))
	if res, err := cst.c.Get(cst.ts.URL); err == nil {
		res.Body.Close()
		t.Error(res.Status)
	}
}
