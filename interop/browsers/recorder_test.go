package browsers

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/webtransport"
)

// recorder is a server that notes how a session's first bidirectional stream ended,
// what came by the first unidirectional one, and how the session ended.
type recorder struct {
	url, hash string
	ends      chan sessionEnd
}

type sessionEnd struct {
	reset  error
	stream string
	err    error
}

func startRecorder(t *testing.T) *recorder {
	t.Helper()
	cert, hash, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorder{hash: devcert.FormatHash(hash), ends: make(chan sessionEnd, 10)}
	upgrader := webtransport.UpgradeConfig{AllowedOrigins: []string{"*"}}
	srv := &http3.Server{
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}},
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			session, err := upgrader.Upgrade(w, r)
			if err != nil {
				return
			}
			switch r.URL.Path {
			case "/bursts":
				sendBursts(session)
				return
			case "/closing":
				closeWithStream(session)
				return
			}
			end := sessionEnd{reset: readReset(session)}
			st, err := session.AcceptUniStream(context.Background())
			if err == nil {
				b, readErr := io.ReadAll(st)
				end.stream, err = string(b), readErr
			}
			<-session.Context().Done()
			end.err = errors.Join(context.Cause(session.Context()), err)
			rec.ends <- end
		}),
	}
	webtransport.Enable(srv, nil)
	ln, err := srv.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(ln) }()
	t.Cleanup(func() { _ = srv.Close() })
	rec.url = "https://" + ln.Addr().String() + "/"
	return rec
}

// readReset answers the first bidirectional stream until it is reset, and returns
// the error.
func readReset(session *webtransport.Session) error {
	st, err := session.AcceptStream(context.Background())
	if err == nil {
		_, err = io.Copy(onlyWriter{st}, onlyReader{st})
		st.CancelWrite(0)
	}
	return err
}

// onlyReader and onlyWriter hide everything else from io.Copy.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)

// check judges the one session there was.
func (rec *recorder) check(t *testing.T) {
	select {
	case end := <-rec.ends:
		var cancelled *webtransport.StreamError
		if !errors.As(end.reset, &cancelled) || !cancelled.IsApplication || cancelled.Code != 44 || !cancelled.Remote {
			t.Errorf("the stream that was reset ended with %v", end.reset)
		}
		var closed *webtransport.SessionError
		if !errors.As(end.err, &closed) || closed.Code != 123456 || closed.Reason != "goodbye" || !closed.Remote {
			t.Errorf("the session ended with %v", end.err)
		}
		if end.stream != "last words" {
			t.Errorf("the last stream had %q", end.stream)
		}
	case <-time.After(10 * time.Second):
		t.Error("no session ended")
	}
}
