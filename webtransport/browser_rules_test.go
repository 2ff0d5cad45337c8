package webtransport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// What browsers need and stumble over, each shown with a raw client that does what
// they do.

// browser opens a session as browsers do.
func browser(ts *testServer) (*rawClient, *quic.Stream, *Session) {
	c := ts.dialRaw(browserSettings)
	s, session := c.session(ts, wt.TokenOld, "sec-webtransport-http3-draft02=1")
	return c, s, session
}

// TestBrowserClose: WT_CLOSE_SESSION, then FIN, and no STOP_SENDING, which would
// cost browsers the code and the reason.
func TestBrowserClose(t *testing.T) {
	ts := serve(t, nil, nil)
	_, s, session := browser(ts)
	_ = session.CloseWithError(9, "bye")
	b, err := io.ReadAll(s)
	if want := content(closeCapsule(9, "bye")); err != nil || !bytes.Equal(b, want) {
		t.Errorf("CONNECT stream has %x, %v, want %x and its end", b, err, want)
	}
	// Had it been stopped, writing would fail.
	if _, err := s.WriteLast(nil); err != nil {
		t.Errorf("the client's side: %v", err)
	}
	<-s.Context().Done()
	if err := context.Cause(s.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("the client's side ended with %v", err)
	}
}

// TestBrowserCloseThenConnectionClose: Firefox closes the connection right after
// the session. The code and what came before are not lost.
func TestBrowserCloseThenConnectionClose(t *testing.T) {
	ts := serve(t, nil, nil)
	for i := range 20 {
		c, s, session := browser(ts)
		u := c.uni(header(wt.TypeUni, s.ID()))
		_, _ = u.WriteLast([]byte("last words"))
		<-u.Context().Done()
		_, _ = s.WriteLast(content(closeCapsule(uint32(i), "closed")))
		<-s.Context().Done()
		_ = c.qc.CloseWithError(uint64(h3.NoError), "")
		<-session.conn.Done()
		wantSessionError(t, session, SessionError{Code: uint32(i), Reason: "closed", Remote: true})
		r, err := session.AcceptUniStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		if got := readAll(t, r); got != "last words" {
			t.Errorf("%q", got)
		}
	}
}

// TestBrowserForeignCode: Firefox resets streams with H3_REQUEST_CANCELLED, which
// is no application's code.
func TestBrowserForeignCode(t *testing.T) {
	ts := serve(t, nil, nil)
	c, s, session := browser(ts)
	st := c.bidi(append(header(wt.SignalBidi, s.ID()), "x"...))
	accepted, err := session.AcceptStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	st.CancelWrite(uint64(h3.RequestCancelled))
	_, err = io.ReadAll(accepted)
	var cancelled *StreamError
	if !errors.As(err, &cancelled) || cancelled.IsApplication || cancelled.HTTPCode != http3.ErrCodeRequestCancelled || !cancelled.Remote {
		t.Errorf("%#v", err)
	}
	if session.endedWith() != nil {
		t.Error("the session has ended")
	}
}

// TestBrowserEmptyUniStream: Firefox cannot take a server's unidirectional stream
// whose header and end come together.
func TestBrowserEmptyUniStream(t *testing.T) {
	ts := serve(t, nil, nil)
	c, s, session := browser(ts)
	st, err := session.OpenUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = st.Close()
	for {
		in, err := c.qc.AcceptUniStream(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		want := header(wt.TypeUni, s.ID())
		got := make([]byte, len(want))
		if _, err := io.ReadFull(in, got); err != nil || !bytes.Equal(got, want) {
			continue // one of HTTP/3's
		}
		if n, err := event.Of(in).TryRead(make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("with the header came %d bytes, %v, want nothing yet", n, err)
		}
		if rest := readAll(t, in); rest != "" {
			t.Errorf("%q", rest)
		}
		break
	}
}

// TestBrowserEmptyDatagram: Chromium's reader stalls on an empty datagram.
func TestBrowserEmptyDatagram(t *testing.T) {
	ts := serve(t, nil, nil)
	c, s, session := browser(ts)
	if err := errors.Join(session.SendDatagram(nil), session.SendDatagram([]byte("x"))); err != nil {
		t.Fatal(err)
	}
	got, err := c.qc.ReceiveDatagram(testContext(t))
	if want := append(h3.AppendQuarterID(nil, s.ID()), 'x'); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%x, %v, want %x", got, err, want)
	}
}

// TestBrowserStopsReading: Firefox stops reading without a word. Who writes to it
// can have a deadline.
func TestBrowserStopsReading(t *testing.T) {
	ts := serve(t, nil, nil)
	_, _, session := browser(ts)
	st, err := session.OpenUniStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_ = st.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	piece := make([]byte, 1<<20)
	for err == nil {
		_, err = st.Write(piece)
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("Write: %v", err)
	}
	st.CancelWrite(0)
	if !eventually(func() bool { return session.known() == 0 }) {
		t.Error("the stream is remembered")
	}
}

// TestBrowserGoesAway: sessions whose connection ends without a word end with it.
func TestBrowserGoesAway(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	_ = client.QUIC().CloseWithError(uint64(h3.NoError), "")
	wait(t, "the session's end", server.Context().Done())
	var app *quic.ApplicationError
	if err := context.Cause(server.Context()); !errors.As(err, &app) || !app.Remote {
		t.Errorf("session ended with %v", err)
	}
}

// TestBrowserStreamLimit: Chromium opens as many streams as the limit allows and
// fails at the next, so that limit leaves room for what pages do.
func TestBrowserStreamLimit(t *testing.T) {
	ts := serve(t, nil, nil)
	c, s, session := browser(ts)
	const wanted = 100
	for range wanted {
		c.bidi(append(header(wt.SignalBidi, s.ID()), "x"...)) // fails if it has to wait too long
	}
	for range wanted {
		if _, err := session.AcceptStream(testContext(t)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBrowserManySessions: each session of a browser is a connection of its own,
// and one follows the other.
func TestBrowserManySessions(t *testing.T) {
	ts := serve(t, nil, nil)
	for i := range 50 {
		c, s, session := browser(ts)
		_, _ = s.WriteLast(content(closeCapsule(0, fmt.Sprint(i))))
		wantSessionError(t, session, SessionError{Reason: fmt.Sprint(i), Remote: true})
		_ = c.qc.CloseWithError(uint64(h3.NoError), "")
	}
}

func TestOrigins(t *testing.T) {
	for name, test := range map[string]struct {
		upgrader UpgradeConfig
		origin   string
		want     string
	}{
		"none":            {UpgradeConfig{}, "", "200"},
		"same host":       {UpgradeConfig{}, "https://localhost", "200"},
		"same, with port": {UpgradeConfig{}, "https://localhost:443", "200"},
		"another host":    {UpgradeConfig{}, "https://elsewhere.example", "403"},
		"another port":    {UpgradeConfig{}, "https://localhost:8443", "403"},
		"not https":       {UpgradeConfig{}, "http://localhost", "403"},
		"null":            {UpgradeConfig{}, "null", "403"},
		"a suffix":        {UpgradeConfig{AllowedOrigins: []string{"https://a.example"}}, "https://xa.example", "403"},
		"allowed":         {UpgradeConfig{AllowedOrigins: []string{"https://a.example"}}, "https://A.example", "200"},
		"all allowed":     {UpgradeConfig{AllowedOrigins: []string{"*"}}, "null", "200"},
		"own check":       {UpgradeConfig{CheckOrigin: func(*http.Request) bool { return false }}, "https://localhost", "403"},
	} {
		t.Run(name, func(t *testing.T) {
			ts := serve(t, nil, &test.upgrader)
			var fields []string
			if test.origin != "" {
				fields = []string{"origin=" + test.origin}
			}
			if r := readResponse(t, ts.dialRaw(browserSettings).bidi(request(wt.TokenOld, fields...))); r.status != test.want {
				t.Errorf("status %s, want %s", r.status, test.want)
			}
		})
	}
}

// TestOrdinaryRequests are served beside sessions, and are no sessions.
func TestOrdinaryRequests(t *testing.T) {
	ts := serve(t, nil, nil)
	client, server := ts.pair(nil)
	go echo(server)
	_, conf := peertest.TLS(t)
	transport := &http3.Transport{TLSClientConfig: conf}
	defer transport.Close()
	resp, err := (&http.Client{Transport: transport}).Get("https://" + ts.addr + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("status %d", resp.StatusCode)
	}
	if err := wait(t, "the error", ts.failed); !errors.Is(err, ErrNotWebTransport) {
		t.Error(err)
	}
	st, err := client.OpenStream(testContext(t))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = st.Write([]byte("hello"))
	_ = st.Close()
	if got := readAll(t, st); got != "hello" {
		t.Errorf("%q", got)
	}
}
