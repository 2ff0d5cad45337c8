package h3

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
)

// fakeHost is the Transport and the Handler of a Conn that a test feeds, and keeps what
// happened as text.
type fakeHost struct {
	conn    *Conn
	now     monotime.Time
	log     []string
	own     []*fakeStream // unidirectional streams that the Conn opened
	closed  ErrorCode     // 0 while it is open
	limit   int           // of what CountBuffered allows, 0 for anything
	counted int
	admits  Admission
	aside   *LargeSection
	read    bool // content is read at once

	priorities int  // calls of HandlePriority
	unknown    bool // which knows none of the requests

	plain uint64 // the stream of a request without datagrams; 0 for none
}

// newFake returns a host whose Conn has started. The reserved setting is always the same.
func newFake(conf Config) *fakeHost {
	h := &fakeHost{now: 1, read: true}
	h.conn = NewConn(conf, h, h)
	h.conn.Start(0)
	return h
}

func (h *fakeHost) note(format string, args ...any) {
	h.log = append(h.log, fmt.Sprintf(format, args...))
}

// take returns what happened since it was called last.
func (h *fakeHost) take() string {
	defer func() { h.log = nil }()
	return strings.Join(h.log, "; ")
}

// feed gives bytes of the peer's to the stream with this ID, which begins with them.
func (h *fakeHost) feed(id uint64, b []byte, fin bool) *fakeStream {
	s := &fakeStream{host: h, id: id}
	h.conn.HandleStream(h.now, id, s)
	s.feed(b, fin)
	return s
}

func (h *fakeHost) OpenUni(handler StreamHandler) Stream {
	s := &fakeStream{host: h, id: uint64(2 + 4*len(h.own)), handler: handler}
	h.own = append(h.own, s)
	return s
}

func (h *fakeHost) SendDatagram(quarterID, p []byte) error {
	h.note("datagram %q", join(quarterID, p))
	return nil
}

func (h *fakeHost) Close(code ErrorCode, reason string) {
	if h.closed == 0 {
		h.closed = code
		h.note("close %v", code)
		h.conn.HandleClose()
	}
}

func (h *fakeHost) CountBuffered(n int) bool {
	h.counted += n
	return h.limit == 0 || h.counted <= h.limit
}

func (h *fakeHost) Post(f func()) { f() }

func (h *fakeHost) HandleSettings(monotime.Time)            { h.note("settings") }
func (h *fakeHost) HandleGoAway(_ monotime.Time, id uint64) { h.note("goaway %d", id) }
func (h *fakeHost) HandleLeft(monotime.Time)                { h.note("left") }
func (h *fakeHost) HandleUnblocked(*RequestStream)          { h.note("unblocked") }
func (h *fakeHost) Admit(*RequestStream) Admission          { return h.admits }

func (h *fakeHost) HandleExtensionStream(_ monotime.Time, id, t uint64, s Stream) {
	var b [100]byte
	n, err := s.Read(b[:])
	h.note("extension %d %#x %q %v", id, t, b[:n], err)
}

func (h *fakeHost) NewRequest(s Stream) *RequestStream { return &s.(*fakeStream).request }

func (h *fakeHost) HandleRequest(now monotime.Time, rs *RequestStream, header *RequestHeader) {
	h.note("request %d %s %s%s %s", rs.ID(), header.Method, header.Host, header.Path, header.Protocol)
	h.HandleContent(now, rs)
}

func (h *fakeHost) HandlePriority(id uint64, p Priority) bool {
	h.priorities++
	h.note("priority %d %v", id, p)
	return !h.unknown
}

func (h *fakeHost) HandleInterim(_ monotime.Time, rs *RequestStream, header *ResponseHeader) error {
	h.note("interim %d", header.Status)
	return nil
}

func (h *fakeHost) HandleResponse(now monotime.Time, rs *RequestStream, header *ResponseHeader) {
	h.note("response %d %d", rs.ID(), header.Status)
	h.HandleContent(now, rs)
}

func (h *fakeHost) HandleFailed(rs *RequestStream, err error) { h.note("failed %d", rs.ID()) }

func (h *fakeHost) HandleLargeSection(_ *RequestStream, s *LargeSection) {
	h.note("large")
	h.aside = s
}

func (h *fakeHost) HandleContent(_ monotime.Time, rs *RequestStream) {
	for h.read {
		var b [100]byte
		n, err := rs.Read(b[:])
		if n > 0 {
			h.note("content %q", b[:n])
		}
		switch {
		case err == io.EOF:
			h.note("end %v", rs.Trailers())
			return
		case err != nil:
			code, wholeConn := Code(err)
			h.note("error %v %v", code, wholeConn)
			return
		case n == 0:
			return
		}
	}
}

func (h *fakeHost) HandleWritable(monotime.Time, *RequestStream) { h.note("writable") }

func (h *fakeHost) HandleHTTPDatagrams(_ monotime.Time, rs *RequestStream, list [][]byte) {
	h.note("datagrams of %d %q", rs.ID(), list)
}

func (h *fakeHost) HandleStrayDatagrams(id uint64) bool {
	if id != h.plain || id == 0 {
		return false
	}
	h.note("stray datagrams of %d", id)
	return true
}

// fakeStream is a stream in memory.
type fakeStream struct {
	host    *fakeHost
	id      uint64
	handler StreamHandler
	request RequestStream

	in    []byte
	inErr error
	reset error // that Read tells of even with bytes left

	out         []byte
	room        int // 0 for any
	fin         bool
	outErr      error
	resetCode   ErrorCode
	stoppedCode ErrorCode
}

// feed has bytes arrive, and the end.
func (s *fakeStream) feed(b []byte, fin bool) {
	s.in = append(s.in, b...)
	if fin {
		s.inErr = io.EOF
	}
	s.tell()
}

func (s *fakeStream) tell() {
	if s.handler != nil && s.host.closed == 0 {
		s.handler.HandleReadable(s.host.now)
	}
}

// fail has the peer reset the stream.
func (s *fakeStream) fail() {
	s.reset = io.ErrClosedPipe
	s.inErr = s.reset
	s.tell()
}

func (s *fakeStream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, s.reset
	}
	if n := copy(p, s.in); n > 0 {
		s.in = s.in[n:]
		return n, nil
	}
	return 0, s.inErr
}

func (s *fakeStream) Write(p []byte, fin bool) (int, error) {
	if s.outErr != nil {
		return 0, s.outErr
	}
	n := len(p)
	if s.room > 0 && !fin {
		n = min(n, s.Room())
	}
	s.out, s.fin = append(s.out, p[:n]...), s.fin || fin
	return n, nil
}

func (s *fakeStream) Room() int {
	if s.room == 0 {
		return 1 << 30
	}
	return max(0, s.room-len(s.out))
}

func (s *fakeStream) Reset(code ErrorCode) {
	if s.resetCode == 0 {
		s.resetCode, s.outErr = code, io.ErrClosedPipe
		s.host.note("reset %v", code)
	}
}

func (s *fakeStream) Stop(code ErrorCode) {
	if s.stoppedCode == 0 {
		s.stoppedCode = code
		s.host.note("stop %v", code)
	}
}

func (s *fakeStream) SetHandler(h StreamHandler) { s.handler = h }

// section encodes fields given as "name=value name=value".
func section(text string) []byte {
	var fields []qpack.Field
	for f := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(f, "=")
		fields = append(fields, qpack.Field{Name: name, Value: value})
	}
	return qpack.AppendFieldSection(nil, fields)
}

// headers is a HEADERS frame with such fields.
func headers(text string) []byte { return frame(FrameHeaders, section(text)...) }

const (
	getFields  = ":method=GET :scheme=https :authority=a :path=/ "
	postFields = ":method=POST :scheme=https :authority=a :path=/ "
)

// wantLog checks what happened.
func (h *fakeHost) wantLog(t *testing.T, what, want string) {
	t.Helper()
	if got := h.take(); got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func serverConf() Config {
	return Config{Side: wire.ServerSide, Settings: Settings{MaxFieldSectionSize: 1000, QPACKMaxTableCapacity: 4096, QPACKBlockedStreams: 2, ExtendedConnect: true, Datagrams: true}}
}

func clientConf() Config {
	conf := serverConf()
	conf.Side, conf.Settings.ExtendedConnect = wire.ClientSide, false
	return conf
}
