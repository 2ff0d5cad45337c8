package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// blockedResponse is a HEADERS frame that refers to what insertTrailer inserts.
var blockedResponse = frame(h3.FrameHeaders, "\x02\x00\xd9\x80")

// insert opens the encoder stream of a raw server.
func insert(t testing.TB, qc *quic.Conn, b string) {
	t.Helper()
	s, err := qc.OpenUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte(b)); err != nil {
		t.Error(err)
	}
}

// wantDecoded checks that the peer acknowledges a section that has waited in a
// goroutine: be it with or without an Insert Count Increment before.
func wantDecoded(t testing.TB, s *quic.Stream) {
	t.Helper()
	b := make([]byte, 1)
	decoder := acceptUni(t, s.Conn(), h3.StreamQPACKDecoder)
	if _, err := io.ReadFull(decoder, b); err != nil {
		t.Error(err)
	} else if b[0] == 0x01 {
		wantRead(t, "decoder stream", decoder, ack(s))
	} else if string(b) != ack(s) {
		t.Errorf("decoder stream: %x, want %x", b, ack(s))
	}
}

// TestBlockedResponses has responses and their trailers wait for the encoder
// stream while another is read.
func TestBlockedResponses(t *testing.T) {
	blocked, proceed := make(chan *quic.Stream, 1), make(chan struct{})
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		switch n {
		case 1:
			s.WriteLast(join(blockedResponse, frame(h3.FrameData, "abc"), frame(h3.FrameHeaders, inserted)))
			blocked <- s
			<-proceed
			insert(t, s.Conn(), insertTrailer)
		default:
			s.WriteLast(join(headers(":status=200"), frame(h3.FrameData, "other")))
		}
	})
	done := make(chan error, 1)
	go func() {
		resp, content, err := rs.get(t)
		if err == nil && (content != "abc" || resp.Header.Get("Wing") != "left" || resp.Trailer.Get("Wing") != "left") {
			t.Errorf("%q, %v, %v", content, resp.Header, resp.Trailer)
		}
		done <- err
	}()
	s := wait(t, "the first request", blocked)
	if _, content, err := rs.get(t); content != "other" || err != nil {
		t.Errorf("the other response: %q, %v", content, err)
	}
	close(proceed)
	if err := wait(t, "the blocked response", done); err != nil {
		t.Error(err)
	}
	if _, _, err := rs.get(t); err != nil { // takes the acknowledgments along
		t.Error(err)
	}
	wantDecoded(t, s)
}

// TestBlockedResponseGivenUp ends requests whose responses wait for insertions
// that do not come.
func TestBlockedResponseGivenUp(t *testing.T) {
	streams := make(chan *quic.Stream, 1)
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		s.Write(blockedResponse)
		streams <- s
		<-s.Conn().Done()
	})
	for name, tt := range map[string]struct {
		timeout time.Duration
		end     func(s *quic.Stream, cancel context.CancelFunc)
		want    func(error) bool
	}{
		"context": {0, func(_ *quic.Stream, cancel context.CancelFunc) { cancel() },
			func(err error) bool { return errors.Is(err, context.Canceled) }},
		"timeout": {time.Millisecond, func(*quic.Stream, context.CancelFunc) {},
			func(err error) bool { return strings.Contains(err.Error(), "timeout awaiting response headers") }},
		"reset": {0, func(s *quic.Stream, _ context.CancelFunc) { s.CancelWrite(uint64(h3.InternalError)) },
			func(err error) bool {
				var e *Error
				return errors.As(err, &e) && e.Remote && e.Code == ErrCodeInternalError
			}},
		"connection": {0, func(s *quic.Stream, _ context.CancelFunc) {
			_ = s.Conn().CloseWithError(uint64(h3.InternalError), "")
		}, func(err error) bool {
			var e *Error
			return errors.As(err, &e) && e.Remote && e.WholeConn
		}},
	} {
		transport := &Transport{TLSClientConfig: rs.transport.TLSClientConfig, ResponseHeaderTimeout: tt.timeout}
		ctx, cancel := context.WithCancel(testContext(t))
		req, err := http.NewRequestWithContext(ctx, "POST", rs.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			_, err := transport.RoundTrip(req)
			done <- err
		}()
		s := wait(t, "the request", streams)
		tt.end(s, cancel)
		if err := wait(t, name, done); err == nil || !tt.want(err) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
		_ = transport.Close()
	}
}

// TestBlockedTrailersClosed closes the body of a response whose trailers wait.
func TestBlockedTrailersClosed(t *testing.T) {
	streams := make(chan *quic.Stream, 2)
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		readRequest(s)
		if n == 1 {
			s.Write(join(headers(":status=200"), frame(h3.FrameData, "abc"), frame(h3.FrameHeaders, inserted)))
			streams <- s
			return
		}
		s.WriteLast(headers(":status=200"))
	})
	req, err := http.NewRequestWithContext(testContext(t), "GET", rs.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := rs.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := resp.Body.Read(make([]byte, 1))
		done <- err
	}()
	resp.Body.Close()
	if err := wait(t, "the reader", done); err == nil || err == io.EOF {
		t.Errorf("read %v", err)
	}
	if _, _, err := rs.get(t); err != nil { // takes the cancellation along
		t.Error(err)
	}
	s := <-streams
	wantRead(t, "decoder stream", acceptUni(t, s.Conn(), h3.StreamQPACKDecoder), cancellation(s))
}

// TestBlockedTunnel has the answer to an extended CONNECT wait, behind an interim
// response that waits as well.
func TestBlockedTunnel(t *testing.T) {
	blocked, proceed := make(chan *quic.Stream, 1), make(chan struct{})
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		if n > 1 {
			s.WriteLast(headers(":status=200"))
			readRequest(s)
			return
		}
		s.Write(join(frame(h3.FrameHeaders, "\x02\x00\xd8\x80"), blockedResponse, frame(h3.FrameData, "abc")))
		blocked <- s
		<-proceed
		insert(t, s.Conn(), insertTrailer)
		<-s.Conn().Done()
	}, 0x08, 0x01)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tunnel, resp, err := rs.connect(t, "/")
		if err != nil || resp.Header.Get("Wing") != "left" {
			t.Errorf("%v, %v", resp, err)
			return
		}
		content := make([]byte, 3)
		if _, err := io.ReadFull(tunnel, content); err != nil || string(content) != "abc" {
			t.Errorf("read %q, %v", content, err)
		}
	}()
	s := wait(t, "the CONNECT request", blocked)
	if _, _, err := rs.get(t); err != nil {
		t.Error(err)
	}
	close(proceed)
	wait(t, "the tunnel", done)
	wantRead(t, "decoder stream", acceptUni(t, s.Conn(), h3.StreamQPACKDecoder), ack(s)+ack(s))
}

// TestBlockedTunnelGivenUp ends one that waits in vain.
func TestBlockedTunnelGivenUp(t *testing.T) {
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		s.Write(blockedResponse)
		if n == 1 {
			s.CancelWrite(uint64(h3.InternalError))
		} else {
			_ = s.Conn().CloseWithError(uint64(h3.InternalError), "")
		}
	}, 0x08, 0x01)
	for range 2 {
		_, _, err := rs.connect(t, "/")
		var e *Error
		if !errors.As(err, &e) || !e.Remote || e.Code != ErrCodeInternalError {
			t.Errorf("error %v, want %v of the server's", err, h3.InternalError)
		}
	}
}

// TestBlockedTunnelErrors: an answer that waited can be malformed, and answers that
// wait take a bounded memory.
func TestBlockedTunnelErrors(t *testing.T) {
	blocked := make(chan *quic.Stream, 1)
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		s.Write(frame(h3.FrameHeaders, inserted)) // without :status
		blocked <- s
	}, 0x08, 0x01)
	done := make(chan error, 4)
	connect := func() {
		_, _, err := rs.connect(t, "/")
		done <- err
	}
	go connect()
	insert(t, wait(t, "the CONNECT request", blocked).Conn(), insertTrailer)
	wantError(t, wait(t, "the answer", done), h3.MessageError, false, false)

	large := frame(h3.FrameHeaders, inserted+strings.Repeat("\xd1", 20<<10))
	rs = serveRaw(t, func(n int64, s *quic.Stream) { s.Write(large) }, 0x08, 0x01)
	for range cap(done) {
		go connect()
	}
	wantError(t, wait(t, "an answer too many", done), h3.ExcessiveLoad, false, false)
	_ = rs.transport.Close()
	for range cap(done) - 1 {
		if err := wait(t, "the other answers", done); err == nil {
			t.Error("a tunnel without an answer")
		}
	}
}
