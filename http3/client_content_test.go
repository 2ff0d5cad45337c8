package http3

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic"
)

// steppedBody brings a piece for each that is sent to it.
type steppedBody struct {
	pieces chan string
	closed chan struct{}
}

func newSteppedBody() *steppedBody {
	return &steppedBody{pieces: make(chan string), closed: make(chan struct{})}
}

func (b *steppedBody) Read(p []byte) (int, error) {
	select {
	case piece, ok := <-b.pieces:
		if !ok {
			return 0, io.EOF
		}
		return copy(p, piece), nil
	case <-b.closed:
		return 0, io.ErrClosedPipe
	}
}

func (b *steppedBody) Close() error {
	close(b.closed)
	return nil
}

func (b *steppedBody) isClosed() bool {
	select {
	case <-b.closed:
		return true
	default:
		return false
	}
}

// TestContentIsKept rejects a request of which some was sent while the rest is awaited:
// the next attempt sends all of it, and what the first one was waiting for is not lost.
func TestContentIsKept(t *testing.T) {
	body := newSteppedBody()
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		if n == 1 {
			_, _ = io.ReadFull(s, make([]byte, len(headers(postFields))))
			reject(s)
			s.CancelRead(uint64(h3.RequestRejected))
			return
		}
		go func() {
			body.pieces <- "second "
			body.pieces <- "third"
			close(body.pieces)
		}()
		if got := readMessage(t, s).content; got != "first second third" {
			t.Errorf("content %q", got)
		}
		s.WriteLast(headers(":status=200"))
	})
	go func() { body.pieces <- "first " }()
	req, _ := http.NewRequestWithContext(testContext(t), "POST", rs.url, body)
	resp, err := rs.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Request != req {
		t.Error("the response's Request is not the one sent")
	}
	resp.Body.Close()
	wait(t, "the body to be closed", body.closed)
}

// TestContent goes through the life of a content without a network.
func TestContent(t *testing.T) {
	read := func(t *testing.T, r *contentReader, n int) string {
		t.Helper()
		b := make([]byte, n)
		n, err := r.Read(b)
		if err != nil {
			return err.Error()
		}
		return string(b[:n])
	}
	begin := func(source io.ReadCloser) (*http.Request, *contentReader) {
		req := keepContent(&http.Request{Body: source})
		return req, req.Body.(*contentReader)
	}
	t.Run("closed at the end", func(t *testing.T) {
		body := newSteppedBody()
		close(body.pieces)
		req, first := begin(body)
		_ = read(t, first, 1)
		if first.Close(); !body.isClosed() {
			t.Error("open, with nothing left to read")
		}
		again := replay(req).Body
		if n, err := again.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("once more: %d, %v", n, err)
		}
		again.Close()
	})
	t.Run("closed before the end", func(t *testing.T) {
		body := newSteppedBody()
		go func() { body.pieces <- "abc" }()
		req, first := begin(body)
		if got := read(t, first, 3); got != "abc" {
			t.Errorf("read %q", got)
		}
		if first.Close(); body.isClosed() {
			t.Error("closed, though another attempt may follow")
		}
		second := replay(req)
		if got := read(t, first, 3); got != http.ErrBodyReadAfterClose.Error() {
			t.Errorf("the first attempt goes on: %q", got)
		}
		if got := read(t, second.Body.(*contentReader), 2); got != "ab" {
			t.Errorf("the second attempt reads %q", got)
		}
		lastAttempt(second)
		if body.isClosed() {
			t.Error("closed while it is being read")
		}
		if second.Body.Close(); !body.isClosed() {
			t.Error("open after the last attempt")
		}
		if replay(second) != nil {
			t.Error("another attempt after the last")
		}
	})
	t.Run("too much", func(t *testing.T) {
		req, first := begin(io.NopCloser(strings.NewReader(strings.Repeat("x", keptContent+1))))
		if _, err := io.Copy(io.Discard, first); err != nil {
			t.Error(err)
		}
		if first.content.kept != nil || hasContentAgain(req) || replay(req) != nil {
			t.Error("more was kept than keptContent")
		}
	})
	t.Run("failing", func(t *testing.T) {
		req, first := begin(io.NopCloser(io.MultiReader(strings.NewReader("x"), readerFunc(func([]byte) (int, error) { return 0, errTest }))))
		_, _ = io.Copy(io.Discard, first)
		if b, err := io.ReadAll(replay(req).Body); string(b) != "x" || err != errTest {
			t.Errorf("once more: %q, %v", b, err)
		}
	})
}

// TestContentAfterTheLastAttempt gives up a request whose second attempt does not come
// about: its body is closed.
func TestContentAfterTheLastAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(testContext(t))
	rs := serveRaw(t, func(n int64, s *quic.Stream) {
		cancel()
		reject(s)
	})
	body := newSteppedBody()
	req, _ := http.NewRequestWithContext(ctx, "POST", rs.url, body)
	if _, err := rs.transport.RoundTrip(req); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want the end of the context", err)
	}
	wait(t, "the body to be closed", body.closed)
}
