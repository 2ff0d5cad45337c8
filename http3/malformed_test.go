package http3

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// TestMalformedRequestsNeverReachHandlers sends requests that end before a
// handler sees them.
func TestMalformedRequestsNeverReachHandlers(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the handler was called for %s %s", r.Method, r.RequestURI)
	})
	for _, tt := range []struct {
		name      string
		bytes     []byte
		fin       bool
		code      h3.ErrorCode
		wholeConn bool
	}{
		{"no request", nil, true, h3.RequestIncomplete, false},
		{"only a reserved frame", frame(0x21, "abc"), true, h3.RequestIncomplete, false},
		{"no :method", headers(":scheme=https :authority=a :path=/"), true, h3.MessageError, false},
		{"uppercase field", headers(getFields + "Accept=x"), true, h3.MessageError, false},
		{"connection-specific field", headers(getFields + "connection=close"), false, h3.MessageError, false},
		{"late pseudo-header field", headers(":method=GET :scheme=https :authority=a x=y :path=/"), false, h3.MessageError, false},
		{"response", headers(":status=200"), false, h3.MessageError, false},
		{"content-length, FIN with the header", headers(postFields + "content-length=5"), true, h3.MessageError, false},
		{"two lengths", headers(postFields + "content-length=5 content-length=6"), false, h3.MessageError, false},

		{"DATA first", frame(h3.FrameData, "x"), false, h3.FrameUnexpected, true},
		{"SETTINGS", frame(h3.FrameSettings, ""), false, h3.FrameUnexpected, true},
		{"PUSH_PROMISE", frame(h3.FramePushPromise, "xxx"), false, h3.FrameUnexpected, true},
		{"frame of HTTP/2", frame(0x06, "12345678"), false, h3.FrameUnexpected, true},
		{"half a frame", headers(getFields)[:5], true, h3.FrameError, true},
		{"half a frame header", []byte{0x01}, true, h3.FrameError, true},
		{"invalid static index", frame(h3.FrameHeaders, "\x00\x00\xff\x24"), true, h3.ErrorCode(qpack.DecompressionFailed), true},
		{"dynamic reference", frame(h3.FrameHeaders, "\x00\x00\x80"), true, h3.ErrorCode(qpack.DecompressionFailed), true},
	} {
		c := ts.dialRaw(t)
		s := c.request(tt.fin, tt.bytes)
		if tt.wholeConn {
			c.wantClose(tt.name, tt.code)
		} else {
			wantReset(t, tt.name, s, tt.code)
			if err := c.qc.Err(); err != nil {
				t.Errorf("%s: the connection ended: %v", tt.name, err)
			}
		}
	}
}

// TestMalformedBodies sends requests that turn out malformed in their content.
// Rows "H3→H1 smuggling" and "H3 field-section bomb" (trailers) of the known
// attacks.
func TestMalformedBodies(t *testing.T) {
	results := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Unread") != "" {
			return
		}
		w.(http.Flusher).Flush()
		_, err := io.Copy(io.Discard, r.Body)
		_, again := r.Body.Read(make([]byte, 1))
		if err != again {
			t.Errorf("%v, and then %v", err, again)
		}
		results <- err
	}, func(s *Server) { s.MaxHeaderBytes = 1000 })
	five := headers(postFields + "content-length=5")
	for _, tt := range []struct {
		name      string
		bytes     []byte
		code      h3.ErrorCode
		wholeConn bool
	}{
		{"too short", join(five, frame(h3.FrameData, "abcd")), h3.MessageError, false},
		{"too short with trailers", join(five, frame(h3.FrameData, "abcd"), headers("x=y")), h3.MessageError, false},
		{"empty DATA", join(five, frame(h3.FrameData, "")), h3.MessageError, false},
		{"too long", join(five, frame(h3.FrameData, "abcdef")), h3.MessageError, false},
		{"too long in two frames", join(five, frame(h3.FrameData, "abcde"), frame(h3.FrameData, "f")), h3.MessageError, false},
		{"pseudo-header field in trailers", join(headers(postFields), headers(":path=/")), h3.MessageError, false},
		{"uppercase trailer", join(headers(postFields), headers("X=y")), h3.MessageError, false},
		{"large trailers", join(headers(postFields), headers("x="+strings.Repeat("~", 1000))), h3.ExcessiveLoad, false},
		{"bomb in trailers", join(headers(postFields), frame(h3.FrameHeaders, "\x00\x00"+strings.Repeat("\xd9", 500))), h3.ExcessiveLoad, false},
		{"DATA after trailers", join(headers(postFields), headers("x=y"), frame(h3.FrameData, "abc")), h3.FrameUnexpected, true},
		{"trailers twice", join(headers(postFields), headers("x=y"), headers("x=y")), h3.FrameUnexpected, true},
		{"GOAWAY", join(headers(postFields), frame(h3.FrameGoAway, "\x00")), h3.FrameUnexpected, true},
		{"half a frame", join(headers(postFields), frame(h3.FrameData, "abc")[:3]), h3.FrameError, true},
		{"invalid trailers", join(headers(postFields), frame(h3.FrameHeaders, "\x00\x00\x80")), h3.ErrorCode(qpack.DecompressionFailed), true},
	} {
		c := ts.dialRaw(t)
		s := c.request(true, tt.bytes)
		err := wait(t, "the handler: "+tt.name, results)
		if tt.wholeConn {
			c.wantClose(tt.name, tt.code)
		} else {
			wantReset(t, tt.name, s, tt.code)
		}
		wantError(t, err, tt.code, false, tt.wholeConn)
	}
	// A handler that does not look gives no response either.
	s := ts.dialRaw(t).request(true, join(headers(postFields+"unread=1 content-length=5"), frame(h3.FrameData, "abcd")))
	wantReset(t, "too short, not read", s, h3.MessageError)
}

// TestViolationBehindRefusedTunnel sends an extended CONNECT request and, with it, a
// frame that ends the connection, to handlers that do not look at the content.
func TestViolationBehindRefusedTunnel(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/refuse":
			w.WriteHeader(http.StatusNotFound)
		case "/close":
			r.Body.Close()
		case "/panic":
			panic(http.ErrAbortHandler)
		}
	}, enableTunnels)
	for _, path := range []string{"/refuse", "/nothing", "/close", "/panic"} {
		c := ts.dialRaw(t)
		s := c.request(true, join(headers(":method=CONNECT :protocol=x :scheme=https :authority=localhost :path="+path), frame(h3.FrameSettings, "")))
		switch path {
		case "/close":
			readMessage(t, s)
		case "/panic":
			wantReset(t, path, s, h3.InternalError)
		default:
			c.wantClose(path, h3.FrameUnexpected)
		}
	}
	readMessage(t, ts.dialRaw(t).request(true, headers(getFields))) // the server lives
}

// TestMalformedControlStreams breaks the rules for unidirectional streams; "Critical
// stream reopen" is a row of the known attacks.
func TestMalformedControlStreams(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, tt := range []struct {
		name    string
		streams []string
		fin     bool
		code    h3.ErrorCode
	}{
		{"second control stream", []string{"\x00\x04\x00"}, false, h3.StreamCreationError},
		{"second encoder stream", []string{"\x02", "\x02"}, false, h3.StreamCreationError},
		{"second decoder stream", []string{"\x03", "\x03"}, false, h3.StreamCreationError},
		{"push stream", []string{"\x01\x00"}, false, h3.StreamCreationError},
		{"encoder instruction", []string{"\x02\x3f\xe2\x1f"}, false, h3.ErrorCode(qpack.EncoderStreamError)},
		{"acknowledgment of nothing", []string{"\x03\x80"}, false, h3.ErrorCode(qpack.DecoderStreamError)},
		{"encoder stream closed", []string{"\x02"}, true, h3.ClosedCriticalStream},
		{"decoder stream closed", []string{"\x03"}, true, h3.ClosedCriticalStream},
	} {
		c := ts.dialRaw(t)
		for _, b := range tt.streams {
			s := c.uni([]byte(b))
			if tt.fin {
				s.Close()
			}
		}
		c.wantClose(tt.name, tt.code)
	}
	for _, tt := range []struct {
		name, bytes string
		code        h3.ErrorCode
	}{
		{"SETTINGS twice", "\x04\x00", h3.FrameUnexpected},
		{"DATA", "\x00\x01x", h3.FrameUnexpected},
		{"MAX_PUSH_ID going down", "\x0d\x01\x05\x0d\x01\x04", h3.IDError},
		{"GOAWAY of no size", "\x07\x00", h3.FrameError},
	} {
		c := ts.dialRaw(t)
		// dialRaw has opened the control stream; it is the connection's first.
		s := c.control
		if _, err := s.Write([]byte(tt.bytes)); err != nil {
			t.Fatal(err)
		}
		c.wantClose(tt.name, tt.code)
	}
	c := ts.dialRaw(t)
	readMessage(t, c.request(true, headers(getFields))) // the stream's type has arrived by then
	c.control.CancelWrite(uint64(h3.NoError))
	c.wantClose("control stream reset", h3.ClosedCriticalStream)
	c = ts.dialRaw(t)
	theirs, err := c.qc.AcceptUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	theirs.CancelRead(uint64(h3.NoError))
	c.wantClose("control stream stopped", h3.ClosedCriticalStream)
}

// TestHarmlessOddities sends what must be accepted.
func TestHarmlessOddities(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.Copy(w, r.Body) })
	c := ts.dialRaw(t)
	c.uni([]byte("\x02\x20")) // capacity 0
	c.uni([]byte("\x03\x48")) // cancellation of a stream
	c.uni(nil).Close()        // ends before its type
	unknown := c.uni([]byte("\x21 hello"))
	wait(t, "the end of a stream of unknown type", unknown.Context().Done())
	m := readMessage(t, c.request(true, join(frame(0x21, "grease"), headers(postFields), frame(0x3f2, ""), frame(h3.FrameData, "ab"),
		frame(h3.FrameData, ""), frame(0x40, "x"), frame(h3.FrameData, "c"), headers("x=y"), frame(0x21, ""))))
	if m.content != "abc" {
		t.Errorf("content %q", m.content)
	}
	// The same a byte at a time.
	s := c.request(false, nil)
	for _, b := range join(frame(0x21, "grease"), headers(postFields+"content-length=2"), frame(h3.FrameData, "ab"), headers("x=y")) {
		if _, err := s.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	if m := readMessage(t, s); m.content != "ab" {
		t.Errorf("content %q", m.content)
	}
	if err := c.qc.Err(); err != nil {
		t.Error(err)
	}
}
