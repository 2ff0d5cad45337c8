package http3

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

// TestMalformedResponses has a server answer what a client must not accept.
func TestMalformedResponses(t *testing.T) {
	ok := headers(":status=200")
	long := headers(":status=200 content-length=5")
	tests := []struct {
		name      string
		bytes     []byte
		code      h3.ErrorCode
		wholeConn bool
	}{
		{"nothing", nil, h3.MessageError, false},
		{"no :status", headers("server=x"), h3.MessageError, false},
		{"status 101", headers(":status=101"), h3.MessageError, false},
		{"request", headers(getFields), h3.MessageError, false},
		{"uppercase field", headers(":status=200 Server=x"), h3.MessageError, false},
		{"too short", join(long, frame(h3.FrameData, "abcd")), h3.MessageError, false},
		{"too short by all", long, h3.MessageError, false},
		{"too long", join(long, frame(h3.FrameData, "abcdef")), h3.MessageError, false},
		{"content with 204", join(headers(":status=204"), frame(h3.FrameData, "x")), h3.MessageError, false},
		{"pseudo-header field in trailers", join(ok, headers(":status=200")), h3.MessageError, false},
		{"only interim responses", join(headers(":status=103"), headers(":status=103")), h3.MessageError, false},
		{"content first", frame(h3.FrameData, "x"), h3.FrameUnexpected, true},
		{"content after an interim response", join(headers(":status=103"), frame(h3.FrameData, "x")), h3.FrameUnexpected, true},
		{"trailers twice", join(ok, headers("a=b"), headers("a=b")), h3.FrameUnexpected, true},
		{"PUSH_PROMISE", join(frame(h3.FramePushPromise, "\x00\x00\x00"), ok), h3.IDError, true},
		{"half a frame", join(ok, frame(h3.FrameData, "abc")[:3]), h3.FrameError, true},
		{"dynamic reference", frame(h3.FrameHeaders, "\x00\x00\x80"), h3.ErrorCode(qpack.DecompressionFailed), true},
	}
	ended := make(chan error, 1)
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		tt := tests[n-1]
		s.WriteLast(tt.bytes)
		readRequest(s)
		if tt.wholeConn {
			<-s.Conn().Done()
			ended <- s.Conn().Err()
		}
	})
	for _, tt := range tests {
		_, _, err := rs.get(t)
		wantError(t, err, tt.code, false, tt.wholeConn)
		if !tt.wholeConn {
			continue
		}
		wantRemoteClose(t, tt.name, wait(t, "the connection's end: "+tt.name, ended), tt.code)
	}
}

// TestShortContent: what ends before its Content-Length is io.ErrUnexpectedEOF, as over
// HTTP/1.1 and HTTP/2, and malformed (RFC 9114, Section 4.1.2).
func TestShortContent(t *testing.T) {
	for name, content := range map[string][]byte{
		"no content":    nil,
		"in one frame":  frame(h3.FrameData, "abc"),
		"and trailers":  join(frame(h3.FrameData, "abc"), headers("a=b")),
		"unknown frame": join(frame(h3.FrameData, "abc"), frame(0x21, "grease")),
	} {
		rs := serveRaw(t, func(_ int64, s *quic.Stream) {
			readRequest(s)
			s.WriteLast(join(headers(":status=200 content-length=5"), content))
		})
		_, _, err := rs.get(t)
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v, want an unexpected EOF", name, err)
		}
		wantError(t, err, h3.MessageError, false, false)
	}
}

// TestInterimResponses: they are limited by their size, as in net/http, unless a hook is
// told of them.
func TestInterimResponses(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		interim := bytes.Repeat(headers(":status=103 link=x"), 3)
		if n > 1 {
			interim = bytes.Repeat(interim, 200)
		}
		s.WriteLast(join(interim, headers(":status=200 x=y"), frame(h3.FrameData, "abc"), headers("a=b")))
	})
	rs.transport.MaxResponseHeaderBytes = 20 << 10
	resp, content, err := rs.get(t)
	if err != nil || resp.StatusCode != 200 || resp.Header.Get("X") != "y" || resp.Header.Get("Link") != "" || content != "abc" || resp.Trailer.Get("A") != "b" {
		t.Errorf("%+v, %q, %v", resp, content, err)
	}
	if _, _, err := rs.get(t); err == nil || !strings.Contains(err.Error(), "1xx") {
		t.Errorf("a flood of interim responses: %v", err)
	}
	told := 0
	req := mustRequest(t, rs.url)
	resp, err = rs.transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error { told++; return nil },
	})))
	if err != nil || told != 600 {
		t.Fatalf("%d interim responses for a hook, %v", told, err)
	}
	resp.Body.Close()
}

func TestLargeResponseHeader(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		s.WriteLast(headers(":status=200 x=" + strings.Repeat("~", 1000)))
	})
	rs.transport.MaxResponseHeaderBytes = 1000
	_, _, err := rs.get(t)
	wantError(t, err, h3.ExcessiveLoad, false, false)
}

// TestGzipReadAfterClose: what was decompressed ahead is not read after Close.
func TestGzipReadAfterClose(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		w.Write(gzipped(strings.Repeat("content", 1000)))
	})
	resp, err := ts.transport.RoundTrip(mustRequest(t, ts.url))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	_ = resp.Body.Close()
	if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != http.ErrBodyReadAfterClose {
		t.Errorf("%d bytes, %v", n, err)
	}
}
