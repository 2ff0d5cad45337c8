package http3

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// patience is how long tests wait for what must happen; it is only ever reached
// by a test that fails.
const patience = 10 * time.Second

// logged is a logger that tests can read.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// testServer is a running server and a transport to it.
type testServer struct {
	*Server
	transport *Transport
	addr      string // host:port
	url       string // https://host:port
	log       *logged
	served    chan error
}

// serve starts a server on loopback for the time of a test and checks in the end
// that it leaves no goroutine behind.
func serve(t testing.TB, handler http.HandlerFunc, configure ...func(*Server)) *testServer {
	t.Helper()
	before := runtime.NumGoroutine()
	serverTLS, clientTLS := peertest.TLS(t)
	ts := &testServer{log: new(logged), served: make(chan error, 1)}
	ts.Server = &Server{Handler: handler, TLSConfig: serverTLS, Logger: slog.New(slog.NewTextHandler(ts.log, nil))}
	for _, f := range configure {
		f(ts.Server)
	}
	ln, err := ts.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ts.addr = ln.Addr().String()
	ts.url = "https://" + ts.addr
	ts.transport = &Transport{TLSClientConfig: clientTLS}
	go func() { ts.served <- ts.Serve(ln) }()
	t.Cleanup(func() {
		_ = ts.transport.Close()
		_ = ts.Close()
		if err := <-ts.served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve: %v", err)
		}
		wantNoGoroutines(t, before)
	})
	return ts
}

// wantNoGoroutines waits until no more goroutines run than before.
func wantNoGoroutines(t testing.TB, before int) {
	t.Helper()
	if !eventually(func() bool { return runtime.NumGoroutine() <= before }) {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
	}
}

// eventually waits until f is true.
func eventually(f func() bool) bool {
	for deadline := time.Now().Add(patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// wait waits for a channel to be closed or sent to.
func wait[T any](t testing.TB, what string, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// do sends a request and reads all of the response.
func (ts *testServer) do(t testing.TB, method, path string, body io.Reader, edit ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(testContext(t), method, ts.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range edit {
		f(req)
	}
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(content)
}

// wantError checks that err has an HTTP/3 code.
func wantError(t testing.TB, err error, code h3.ErrorCode, remote, wholeConn bool) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != ErrorCode(code) || e.Remote != remote || e.WholeConn != wholeConn {
		t.Errorf("error %v, want %v, remote %v, whole connection %v", err, code, remote, wholeConn)
	}
}

// rawConn is an HTTP/3 connection spoken to in bytes.
type rawConn struct {
	t       testing.TB
	qc      *quic.Conn
	control *quic.Stream
}

// dialRaw connects to a server. Its control stream is opened, with empty
// SETTINGS.
func (ts *testServer) dialRaw(t testing.TB) *rawConn {
	t.Helper()
	return ts.dialControl(t, join([]byte{0x00}, frame(h3.FrameSettings, "")))
}

// dialControl connects to a server and opens the first unidirectional stream with
// bytes.
func (ts *testServer) dialControl(t testing.TB, control []byte) *rawConn {
	t.Helper()
	_, clientTLS := peertest.TLS(t)
	clientTLS.NextProtos = []string{h3.NextProto}
	qc, err := quic.Dial(testContext(t), ts.addr, clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = qc.CloseWithError(uint64(h3.NoError), "") })
	c := &rawConn{t: t, qc: qc}
	c.control = c.uni(control)
	return c
}

// uni opens a unidirectional stream and writes to it.
func (c *rawConn) uni(b []byte) *quic.Stream {
	c.t.Helper()
	ref, err := event.Open(testContext(c.t), c.qc, true, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	s := ref.Detach()
	if _, err := s.Write(b); err != nil {
		c.t.Fatal(err)
	}
	return s
}

// request opens a request stream and writes to it.
func (c *rawConn) request(fin bool, b []byte) *quic.Stream {
	c.t.Helper()
	s, err := c.qc.OpenStream(testContext(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	write := s.Write
	if fin {
		write = s.WriteLast
	}
	// The server may have closed the connection already.
	if _, err := write(b); err != nil && c.qc.Err() == nil {
		c.t.Fatal(err)
	}
	return s
}

// wantReset checks that the peer resets a stream with a code.
func wantReset(t testing.TB, what string, s *quic.Stream, code h3.ErrorCode) {
	t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(s)
	var reset *quic.StreamError
	if !errors.As(err, &reset) || h3.ErrorCode(reset.Code) != code || !reset.Remote {
		t.Errorf("%s: read %q, %v, want a reset with %v", what, got, err, code)
	}
}

// wantClose checks that the peer closes the connection with a code.
func (c *rawConn) wantClose(what string, code h3.ErrorCode) {
	c.t.Helper()
	wait(c.t, "the connection's end: "+what, c.qc.Done())
	wantRemoteClose(c.t, what, c.qc.Err(), code)
}

// wantRemoteClose checks that a connection's error is that the peer closed it with
// a code.
func wantRemoteClose(t testing.TB, what string, err error, code h3.ErrorCode) {
	t.Helper()
	var app *quic.ApplicationError
	if !errors.As(err, &app) || h3.ErrorCode(app.Code) != code || !app.Remote {
		t.Errorf("%s: %v, want %v", what, err, code)
	}
}

// message is what readMessage found.
type message struct {
	fields   []qpack.Field
	content  string
	trailers []qpack.Field
	frames   int
}

// readMessage reads a stream to its end.
func readMessage(t testing.TB, s *quic.Stream) message {
	t.Helper()
	if err := s.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	var m message
	r := h3.NewMessageReader(1, 1<<20)
	for len(b) > 0 {
		piece, n, err := r.Next(b)
		if err != nil {
			t.Fatal(err)
		}
		b = b[n:]
		var d qpack.Decoder
		switch piece.Kind {
		case h3.PieceData:
			m.content += string(piece.Bytes)
			m.frames++
		case h3.PieceHeaders:
			m.fields, err = d.AppendFields(nil, piece.Bytes, 1<<20)
		case h3.PieceTrailers:
			m.trailers, err = d.AppendFields(nil, piece.Bytes, 1<<20)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Finish(); err != nil {
		t.Fatal(err)
	}
	return m
}

// headers is a HEADERS frame with fields written as "name=value" and separated
// by blanks.
func headers(fields string) []byte {
	b, mark := h3.BeginHeaders(nil)
	b = qpack.AppendPrefix(b)
	for f := range strings.FieldsSeq(fields) {
		i := strings.Index(f[1:], "=") + 1
		b = qpack.AppendField(b, f[:i], f[i+1:])
	}
	return h3.EndHeaders(b, mark)
}

// frame is a frame of any type.
func frame(typ h3.FrameType, payload string) []byte {
	return append(h3.AppendFrameHeader(nil, typ, uint64(len(payload))), payload...)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

const (
	getFields  = ":method=GET :scheme=https :authority=localhost :path=/ "
	postFields = ":method=POST :scheme=https :authority=localhost :path=/ "
)
