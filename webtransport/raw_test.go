package webtransport

import (
	"context"
	"crypto/tls"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// rawClient is a client that speaks in bytes.
type rawClient struct {
	t  testing.TB
	qc *quic.Conn
}

// dialRaw connects and, unless settings are nil, sends them.
func (ts *testServer) dialRaw(settings []h3.Setting) *rawClient {
	ts.t.Helper()
	return ts.dialRawBy(quic.Dial, settings, &quic.Config{})
}

// dialRawWith is dialRaw with a configuration that it completes.
func (ts *testServer) dialRawWith(settings []h3.Setting, qconf *quic.Config) *rawClient {
	ts.t.Helper()
	return ts.dialRawBy(quic.Dial, settings, qconf)
}

// dialRawOn is dialRaw on a transport.
func (ts *testServer) dialRawOn(tr *quic.Transport, settings []h3.Setting) *rawClient {
	ts.t.Helper()
	return ts.dialRawBy(tr.Dial, settings, &quic.Config{})
}

type dialFunc func(ctx context.Context, addr string, conf *tls.Config, qconf *quic.Config) (*quic.Conn, error)

func (ts *testServer) dialRawBy(dial dialFunc, settings []h3.Setting, qconf *quic.Config) *rawClient {
	ts.t.Helper()
	_, conf := peertest.TLS(ts.t)
	conf.NextProtos = []string{h3.NextProto}
	qconf.EnableDatagrams, qconf.MaxIncomingStreams = true, 100
	qc, err := dial(testContext(ts.t), ts.addr, conf, qconf)
	if err != nil {
		ts.t.Fatal(err)
	}
	ts.t.Cleanup(func() {
		_ = qc.CloseWithError(uint64(h3.NoError), "")
		wait(ts.t, "the raw client's end", qc.Done())
	})
	c := &rawClient{ts.t, qc}
	if settings != nil {
		c.sendSettings(settings)
	}
	return c
}

func (c *rawClient) sendSettings(settings []h3.Setting) {
	c.t.Helper()
	var payload []byte
	for _, s := range settings {
		payload = wire.AppendVarint(wire.AppendVarint(payload, uint64(s.ID)), s.Value)
	}
	c.uni(append(h3.AppendFrameHeader([]byte{0}, h3.FrameSettings, uint64(len(payload))), payload...))
}

// uni opens a unidirectional stream and writes to it.
func (c *rawClient) uni(b []byte) *quic.Stream {
	c.t.Helper()
	ref, err := event.Open(testContext(c.t), c.qc, true, nil)
	s := ref.Detach()
	if err == nil {
		_, err = s.Write(b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// bidi opens a bidirectional stream and writes to it.
func (c *rawClient) bidi(b []byte) *quic.Stream {
	c.t.Helper()
	s, err := c.qc.OpenStream(testContext(c.t))
	if err == nil {
		_, err = s.Write(b)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// request is a HEADERS frame of a request for a session.
func request(token string, fields ...string) []byte {
	b, mark := h3.BeginHeaders(nil)
	b = qpack.AppendPrefix(b)
	for _, f := range append([]string{":method=CONNECT", ":protocol=" + token, ":scheme=https", ":authority=localhost", ":path=/"}, fields...) {
		i := strings.Index(f[1:], "=") + 1
		b = qpack.AppendField(b, f[:i], f[i+1:])
	}
	return h3.EndHeaders(b, mark)
}

// response is what readResponse found.
type response struct {
	status string
	fields map[string]string
}

// readResponse reads the header of a response.
func readResponse(t testing.TB, s *quic.Stream) response {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(patience))
	defer s.SetReadDeadline(time.Time{})
	reader := h3.NewMessageReader(wire.ClientSide, 1<<16)
	for {
		var b [1]byte
		if _, err := io.ReadFull(s, b[:]); err != nil {
			t.Fatal(err)
		}
		piece, _, err := reader.Next(b[:])
		if err != nil {
			t.Fatal(err)
		}
		if piece.Kind != h3.PieceHeaders {
			continue
		}
		var d qpack.Decoder
		fields, err := d.AppendFields(nil, piece.Bytes, 1<<16)
		if err != nil {
			t.Fatal(err)
		}
		r := response{fields: make(map[string]string)}
		for _, f := range fields {
			r.fields[f.Name] = f.Value
		}
		r.status = r.fields[":status"]
		return r
	}
}

// content frames what a CONNECT stream carries.
func content(capsules ...[]byte) []byte {
	all := strings.Join(asStrings(capsules), "")
	return append(h3.AppendFrameHeader(nil, h3.FrameData, uint64(len(all))), all...)
}

func asStrings(parts [][]byte) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = string(p)
	}
	return out
}

// capsule is a capsule made of integers.
func capsule(t h3.CapsuleType, values ...uint64) []byte {
	var value []byte
	for _, v := range values {
		value = wire.AppendVarint(value, v)
	}
	return h3.AppendCapsule(nil, t, value)
}

// header begins a stream of a session.
func header[T h3.StreamType | h3.FrameType](typ T, session uint64) []byte {
	return wire.AppendVarint(wire.AppendVarint(nil, uint64(typ)), session)
}

// The settings of clients.
var (
	datagramSettings = []h3.Setting{{ID: h3.SettingDatagram, Value: 1}}
	browserSettings  = []h3.Setting{{ID: wt.SettingDraft02, Value: 1}, {ID: h3.SettingDatagram, Value: 1}, {ID: h3.SettingDatagramDraft04, Value: 1}}
	limitSettings    = []h3.Setting{{ID: wt.SettingMaxData, Value: 1 << 20}, {ID: wt.SettingMaxStreamsUni, Value: 10}, {ID: wt.SettingMaxStreamsBidi, Value: 10}}
)

func with(lists ...[]h3.Setting) []h3.Setting {
	all := []h3.Setting{}
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

func setting(id h3.SettingID, value uint64) []h3.Setting {
	return []h3.Setting{{ID: id, Value: value}}
}

// session opens a session and returns its CONNECT stream and the server's end.
func (c *rawClient) session(ts *testServer, token string, fields ...string) (*quic.Stream, *Session) {
	c.t.Helper()
	s := c.bidi(request(token, fields...))
	if r := readResponse(c.t, s); r.status != "200" {
		c.t.Fatalf("status %s", r.status)
	}
	return s, ts.accept()
}

// wantReset checks that the peer resets a stream with a code.
func wantReset(t testing.TB, what string, s *quic.Stream, code h3.ErrorCode) {
	t.Helper()
	_ = s.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, onlyReader{s})
	if got, ok := cancelledWith(err); !ok || h3.ErrorCode(got) != code {
		t.Errorf("%s: %v, want a reset with %v", what, err, code)
	}
}

// wantStop checks that the peer stops reading a stream with a code.
func wantStop(t testing.TB, what string, s *quic.Stream, code h3.ErrorCode) {
	t.Helper()
	wait(t, "STOP_SENDING: "+what, s.Context().Done())
	_, err := s.Write([]byte("x"))
	if got, ok := cancelledWith(err); !ok || h3.ErrorCode(got) != code {
		t.Errorf("%s: %v, want it stopped with %v", what, err, code)
	}
}

// wantClosed checks that the peer closes the connection with a code.
func (c *rawClient) wantClosed(what string, code h3.ErrorCode) {
	c.t.Helper()
	wait(c.t, "the connection's end: "+what, c.qc.Done())
	app, ok := c.qc.Err().(*quic.ApplicationError)
	if !ok || !app.Remote || h3.ErrorCode(app.Code) != code {
		c.t.Errorf("%s: %v, want %v", what, c.qc.Err(), code)
	}
}

// cancelledWith returns the code with which the peer cancelled a stream.
func cancelledWith(err error) (uint64, bool) {
	cancelled, ok := err.(*quic.StreamError)
	if !ok || !cancelled.Remote {
		return 0, false
	}
	return cancelled.Code, true
}

// onlyReader hides everything else from io.Copy.
type onlyReader struct{ io.Reader }
