package http3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

const (
	// insertHost begins an encoder stream: its type, a capacity of 4096, and
	// :authority=localhost inserted.
	insertHost = "\x02\x3f\xe1\x1f\xc0\x09localhost"
	// getInserted is the header section of a GET request that refers to it.
	getInserted = "\x02\x00\xd1\xd7\x80\xc1"
	// insertTrailer inserts wing=left as the first entry.
	insertTrailer = "\x02\x3f\xe1\x1f\x44wing\x04left"
	// inserted is a section of the first entry alone.
	inserted = "\x02\x00\x80"
)

// acceptUni returns the peer's unidirectional stream of a type.
func acceptUni(t testing.TB, qc *quic.Conn, typ h3.StreamType) *quic.Stream {
	t.Helper()
	for {
		s, err := qc.AcceptUniStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 1)
		if _, err := io.ReadFull(s, b); err != nil {
			t.Fatal(err)
		}
		if b[0] == byte(typ) {
			return event.Of(s).Detach()
		}
	}
}

// wantRead checks the next bytes of a stream.
func wantRead(t testing.TB, what string, s *quic.Stream, want string) {
	t.Helper()
	b := make([]byte, len(want))
	if _, err := io.ReadFull(s, b); err != nil || string(b) != want {
		t.Errorf("%s: read %x, %v, want %x", what, b, err, want)
	}
}

// ack and cancellation are decoder instructions for small stream IDs.
func ack(s *quic.Stream) string          { return string([]byte{0x80 | byte(s.ID())}) }
func cancellation(s *quic.Stream) string { return string([]byte{0x40 | byte(s.ID())}) }

// TestBlockedRequest has requests wait for the encoder stream while others are
// answered.
func TestBlockedRequest(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })
	c := ts.dialRaw(t)
	whole := c.request(true, frame(h3.FrameHeaders, getInserted))
	half := c.request(false, frame(h3.FrameHeaders, getInserted)[:4])
	other := c.request(true, headers(getFields))
	if m := readMessage(t, other); m.content != "localhost" {
		t.Errorf("the other request was answered %q", m.content)
	}
	c.uni([]byte(insertHost))
	if m := readMessage(t, whole); m.content != "localhost" {
		t.Errorf("the blocked request was answered %q", m.content)
	}
	if _, err := half.WriteLast(frame(h3.FrameHeaders, getInserted)[4:]); err != nil {
		t.Fatal(err)
	}
	if m := readMessage(t, half); m.content != "localhost" {
		t.Errorf("the request that was not blocked was answered %q", m.content)
	}
	wantRead(t, "decoder stream", acceptUni(t, c.qc, h3.StreamQPACKDecoder), ack(whole)+ack(half))
}

// TestBlockedRequestGivenUp has a client reset a request that waits, and one
// whose header section is half there.
func TestBlockedRequestGivenUp(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			t.Error("the handler was called")
		}
	})
	c := ts.dialRaw(t)
	waiting := c.request(false, frame(h3.FrameHeaders, getInserted))
	half := c.request(false, frame(h3.FrameHeaders, getInserted)[:4])
	content := c.request(false, frame(h3.FrameHeaders, getInserted))
	for _, s := range []*quic.Stream{waiting, half, content} {
		if s == content {
			// The others were answered, so that this one waits and has content to be read.
			if _, err := s.Write(frame(h3.FrameData, strings.Repeat("x", 1000))); err != nil {
				t.Fatal(err)
			}
			readMessage(t, c.request(true, headers(":method=HEAD :scheme=https :authority=a :path=/")))
		}
		s.CancelWrite(uint64(h3.RequestCancelled))
		wantReset(t, "a cancelled request", s, h3.RequestRejected)
	}
	readMessage(t, c.request(true, headers(":method=HEAD :scheme=https :authority=a :path=/")))
	c.uni([]byte(insertHost))
	wantRead(t, "decoder stream", acceptUni(t, c.qc, h3.StreamQPACKDecoder), cancellation(waiting)+cancellation(half)+cancellation(content)+"\x01")
}

// TestBlockedTimeout has a request wait for insertions that do not come.
func TestBlockedTimeout(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") },
		func(s *Server) { s.ReadHeaderTimeout = 10 * time.Millisecond })
	c := ts.dialRaw(t)
	wantReset(t, "a request that waits too long", c.request(true, frame(h3.FrameHeaders, getInserted)), h3.RequestRejected)
}

// TestBlockedStreamLimits is the row "QPACK blocked streams" of the known
// attacks.
func TestBlockedStreamLimits(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") },
		func(s *Server) { s.QUICConfig = &quic.Config{MaxIncomingStreams: 2 * qpackBlockedStreams} })
	c := ts.dialRaw(t)
	for range qpackBlockedStreams + 1 {
		c.request(true, frame(h3.FrameHeaders, getInserted))
	}
	c.wantClose("one blocked stream too many", h3.ErrorCode(qpack.DecompressionFailed))

	// Those that take much memory are not kept.
	c = ts.dialRaw(t)
	large := frame(h3.FrameHeaders, getInserted+strings.Repeat("\xd1", 20<<10))
	ended := make(chan error, 4)
	for range cap(ended) {
		s := c.request(false, large)
		go func() {
			_, err := io.ReadAll(s)
			ended <- err
		}()
	}
	var reset *quic.StreamError
	if err := wait(t, "a large section too many", ended); !errors.As(err, &reset) || h3.ErrorCode(reset.Code) != h3.ExcessiveLoad {
		t.Errorf("a large section too many: %v, want %v", err, h3.ExcessiveLoad)
	}
}

// TestHeaderBomb is the row "H3 field-section bomb" of the known attacks, with
// a large entry of the dynamic table.
func TestHeaderBomb(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the handler was called") })
	c := ts.dialRaw(t)
	large := strings.Repeat("~", 4000)
	c.uni([]byte("\x02\x3f\xe1\x1f\x44bomb\x7f\xa1\x1e" + large))
	m := readMessage(t, c.request(true, frame(h3.FrameHeaders, "\x02\x00"+strings.Repeat("\x80", 1000))))
	if got := fmt.Sprint(m.fields); !strings.Contains(got, "{:status 431}") {
		t.Errorf("answered %s, want status 431", got)
	}
}

// TestQPACKErrors closes connections for what breaks RFC 9204.
func TestQPACKErrors(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	for _, tt := range []struct {
		name, encoder, section string
		code                   qpack.ErrorCode
	}{
		{"evicted entry", "\x02\x3f\x21\x41a\x011\x41b\x011", "\x03\x00\x81", qpack.DecompressionFailed},
		{"required too low", insertHost, "\x00\x01\x80", qpack.DecompressionFailed},
		{"required impossible", insertHost, "\xff\xff\x7f\x00\x80", qpack.DecompressionFailed},
		{"negative base", insertHost, "\x02\x81\x10", qpack.DecompressionFailed},
		{"capacity too large", "\x02\x3f\xe2\x1f", "", qpack.EncoderStreamError},
		{"entry too large", "\x02\x3f\x01\x41a\x011", "", qpack.EncoderStreamError},
		{"duplicate of nothing", "\x02\x3f\xe1\x1f\x00", "", qpack.EncoderStreamError},
		{"static name 99", "\x02\x3f\xe1\x1f\xff\x24\x00", "", qpack.EncoderStreamError},
	} {
		c := ts.dialRaw(t)
		c.uni([]byte(tt.encoder))
		if tt.section != "" {
			c.request(true, frame(h3.FrameHeaders, tt.section))
		}
		c.wantClose(tt.name, h3.ErrorCode(tt.code))
	}
	for name, decoder := range map[string]string{"increment": "\x03\x01", "increment of 0": "\x03\x00", "acknowledgment": "\x03\x84"} {
		c := ts.dialRaw(t)
		c.uni([]byte(decoder))
		c.wantClose(name+" of nothing", h3.ErrorCode(qpack.DecoderStreamError))
	}
	for _, typ := range []h3.StreamType{h3.StreamQPACKDecoder} {
		c := ts.dialRaw(t)
		c.uni([]byte(insertHost))
		acceptUni(t, c.qc, typ).CancelRead(uint64(h3.NoError))
		c.wantClose("STOP_SENDING", h3.ClosedCriticalStream)
	}
}

// decoderStream reads n bytes of the server's decoder stream, while requests take
// along what waits for company.
func (c *rawConn) decoderStream(n int) []byte {
	c.t.Helper()
	decoder := acceptUni(c.t, c.qc, h3.StreamQPACKDecoder)
	b := make([]byte, n)
	for read := 0; read < n; {
		readMessage(c.t, c.request(true, headers(":method=HEAD :scheme=https :authority=a :path=/")))
		m, err := event.Of(decoder).TryRead(b[read:])
		if err != nil {
			c.t.Fatal(err)
		}
		read += m
	}
	return b
}

// TestBlockedTrailers has handlers read the content before the trailers can be
// decoded.
func TestBlockedTrailers(t *testing.T) {
	read := make(chan string)
	results := make(chan error, 1)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			return
		}
		buf := make([]byte, 10)
		n, err := io.ReadFull(r.Body, buf[:3])
		if err != nil {
			t.Errorf("read %d bytes, %v", n, err)
		}
		switch <-read {
		case "deadline":
			rc := http.NewResponseController(w)
			if err := rc.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Error(err)
			}
			if _, err := r.Body.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("read until the deadline: %v", err)
			}
			if err := rc.SetReadDeadline(time.Time{}); err != nil {
				t.Error(err)
			}
		case "close":
			time.AfterFunc(time.Millisecond, func() { r.Body.Close() })
		case "return":
			return
		}
		results <- nil
		_, err = r.Body.Read(buf)
		if err == io.EOF && r.Trailer.Get("Wing") != "left" {
			t.Errorf("trailers %v", r.Trailer)
		}
		results <- err
	})
	post := join(headers(postFields), frame(h3.FrameData, "abc"), frame(h3.FrameHeaders, inserted))
	for _, how := range []string{"wait", "deadline"} {
		c := ts.dialRaw(t)
		s := c.request(true, post)
		read <- how
		<-results
		c.uni([]byte(insertTrailer))
		if err := wait(t, "the handler", results); err != io.EOF {
			t.Errorf("%s: read %v, want %v", how, err, io.EOF)
		}
		readMessage(t, s)
		wantDecoded(t, s)
	}
	for _, how := range []string{"close", "reset", "return"} {
		c := ts.dialRaw(t)
		s := c.request(false, post)
		read <- how
		if how != "return" {
			<-results
			if how == "reset" {
				s.CancelWrite(uint64(h3.RequestCancelled))
			}
			if err := wait(t, "the handler", results); err == nil || err == io.EOF {
				t.Errorf("%s: read %v", how, err)
			}
		}
		readMessage(t, s)
		c.uni([]byte(insertTrailer))
		got := c.decoderStream(2)
		slices.Sort(got)
		if want := "\x01" + cancellation(s); string(got) != want {
			t.Errorf("%s: decoder stream %x, want %x in any order", how, got, want)
		}
	}
}
