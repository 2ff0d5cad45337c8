package interop

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/quic-go/quic-go"
	qwt "github.com/quic-go/webtransport-go"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/webtransport"
)

// goLimits are limits for webtransport-go that make it use flow control of
// sessions, small enough to be reached.
var goLimits = &qwt.Config{MaxIncomingStreams: 20, MaxIncomingUniStreams: 20, MaxIncomingData: 1 << 20}

// eachGoConfig runs a test with and without flow control of sessions at
// webtransport-go's side.
func eachGoConfig(t *testing.T, test func(t *testing.T, conf *qwt.Config)) {
	t.Run("flow control", func(t *testing.T) { test(t, goLimits) })
	t.Run("none", func(t *testing.T) { test(t, nil) })
}

// TestWebTransportGoClient has webtransport-go's client talk to our server.
func TestWebTransportGoClient(t *testing.T) {
	eachGoConfig(t, func(t *testing.T, conf *qwt.Config) {
		url, _, clientTLS, ends := startOurs(t, webtransport.Draft15)
		d := &goDialer{t, url, clientTLS, &qwt.Transport{Config: conf, ApplicationProtocols: []string{"a", "b"}}}

		t.Run("echo", func(t *testing.T) {
			s := d.dial("/echo")
			useEchoGo(t, s)
			_ = s.CloseWithError(77, "enough")
			wantClosed(t, <-ends, 77, "enough")
		})
		t.Run("push", func(t *testing.T) { takePushGo(t, d.dial("/push")) })
		t.Run("close", func(t *testing.T) {
			_, err := d.dial("/close").AcceptStream(timeout(t))
			wantClosedGo(t, err, 41, "closed by the server")
		})
		t.Run("rejection", func(t *testing.T) {
			if resp, _, err := d.try("/reject"); err == nil || resp == nil || resp.StatusCode != http.StatusNotFound {
				t.Errorf("response %v, %v, want status 404", resp, err)
			}
		})
		t.Run("subprotocol", func(t *testing.T) {
			if got := d.dial("/subprotocol").SessionState().ApplicationProtocol; got != "b" {
				t.Errorf("subprotocol %q, want %q", got, "b")
			}
		})
	})
}

// goDialer opens sessions of webtransport-go's.
type goDialer struct {
	t         *testing.T
	url       string
	tls       *tls.Config
	transport *qwt.Transport
}

func (d *goDialer) dial(path string) *qwt.Session {
	d.t.Helper()
	_, s, err := d.try(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return s
}

// try makes the connection itself: on one of its own making, Transport closes that
// along with the session, and what it had to say is lost.
func (d *goDialer) try(path string) (*http.Response, *qwt.Session, error) {
	d.t.Helper()
	qc, err := quic.DialAddr(timeout(d.t), d.url[len("https://"):], d.tls,
		&quic.Config{EnableDatagrams: true, EnableStreamResetPartialDelivery: true})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = qc.CloseWithError(0x100, "") })
	cc, err := d.transport.NewClientConn(qc)
	if err != nil {
		d.t.Fatal(err)
	}
	return cc.Dial(timeout(d.t), d.url+path, nil)
}

// useEchoGo is useEcho for webtransport-go's end.
func useEchoGo(t *testing.T, s *qwt.Session) {
	t.Helper()
	open := func() *qwt.Stream {
		t.Helper()
		st, err := s.OpenStreamSync(timeout(t))
		if err != nil {
			t.Fatal(err)
		}
		return st
	}
	for _, size := range sizes {
		peertest.EchoThrough(t, open(), peertest.Content(size))
	}
	for i := range 60 { // beyond the limit of streams at a time
		peertest.EchoThrough(t, open(), []byte(fmt.Sprint(i)))
		echoUniGo(t, s, fmt.Sprint(i))
	}
	_ = s.SendDatagram([]byte("ping"))
	if b, err := s.ReceiveDatagram(timeout(t)); err != nil || string(b) != "ping" {
		t.Errorf("datagram %q, %v", b, err)
	}
	for _, code := range codes {
		st := open()
		st.CancelWrite(qwt.StreamErrorCode(code)) // at once, so that only the header must arrive
		_, err := io.ReadAll(st)
		wantCancelledGo(t, "reset", err, code)

		st = open()
		echoByte(t, st)
		st.CancelRead(qwt.StreamErrorCode(code))
		for err = nil; err == nil; {
			_, err = st.Write(make([]byte, 1000))
		}
		wantCancelledGo(t, "stop", err, code)
	}
}

func echoUniGo(t *testing.T, s *qwt.Session, text string) {
	t.Helper()
	out, err := s.OpenUniStreamSync(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(out, text)
	_ = out.Close()
	in, err := s.AcceptUniStream(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(in); err != nil || string(b) != text {
		t.Fatalf("%q came back as %q, %v", text, b, err)
	}
}

// takePushGo is takePush for webtransport-go's end.
func takePushGo(t *testing.T, s *qwt.Session) {
	t.Helper()
	one, err := s.AcceptUniStream(timeout(t))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(one); err != nil || string(b) != "hello" {
		t.Errorf("got %q, %v", b, err)
	}
	whole, cancelled := 0, 0
	for range 2 {
		st, err := s.AcceptStream(timeout(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = st.Write([]byte{1})
		b, err := io.ReadAll(st)
		if err == nil && string(b) == "hello" {
			whole++
			continue
		}
		wantCancelledGo(t, "reset", err, 7)
		cancelled++
	}
	if whole != 1 || cancelled != 1 {
		t.Errorf("%d streams came whole and %d were reset, want one of each", whole, cancelled)
	}
	if b, err := s.ReceiveDatagram(timeout(t)); err != nil || string(b) != "hello" {
		t.Errorf("datagram %q, %v", b, err)
	}
}

func wantCancelledGo(t *testing.T, what string, err error, code uint32) {
	t.Helper()
	var cancelled *qwt.StreamError
	if !errors.As(err, &cancelled) || uint32(cancelled.ErrorCode) != code || !cancelled.Remote {
		t.Errorf("%s: %v, want code %d", what, err, code)
	}
}

func wantClosedGo(t *testing.T, err error, code uint32, reason string) {
	t.Helper()
	var closed *qwt.SessionError
	if !errors.As(err, &closed) || uint32(closed.ErrorCode) != code || closed.Message != reason || !closed.Remote {
		t.Errorf("closed with %v, want code %d, %q", err, code, reason)
	}
}
