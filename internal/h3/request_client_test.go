package h3

import (
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/qpack"
)

// pausingHost is a host whose handling of interim responses takes longer, and that wants
// a response's content all at once.
type pausingHost struct{ *fakeHost }

func (h pausingHost) HandleInterim(_ monotime.Time, rs *RequestStream, header *ResponseHeader) error {
	h.note("interim %d", header.Status)
	rs.Pause()
	return nil
}

func (h pausingHost) HandleResponse(_ monotime.Time, rs *RequestStream, header *ResponseHeader) {
	content, ok := rs.TakeContent()
	h.note("response %d %q %v", header.Status, content, ok)
}

// request has a client send a request, on the stream that it returns.
func (h *fakeHost) request(conf Config) *fakeStream {
	h.conn = NewConn(conf, h, pausingHost{h})
	h.conn.Start(0)
	s := &fakeStream{host: h}
	h.conn.BeginRequest(&s.request, 0, s, "GET", false)
	return s
}

// TestPause has interim responses wait for the host, however they arrive.
func TestPause(t *testing.T) {
	early, final := headers(":status=103"), headers(":status=200")
	h := &fakeHost{now: 1}
	s := h.request(clientConf())
	s.feed(join(early, early, final), true)
	h.wantLog(t, "the first", "interim 103")
	s.tell()
	h.wantLog(t, "paused", "")
	s.request.Resume(h.now)
	h.wantLog(t, "the second", "interim 103")
	s.request.Resume(h.now)
	h.wantLog(t, "the response", `response 200 "" true`)
	s.request.Resume(h.now)
	h.wantLog(t, "once more", "")

	s = h.request(clientConf())
	s.feed(early, false)
	s.feed(early, false)
	s.request.Resume(h.now)
	h.wantLog(t, "in pieces", "interim 103; interim 103")
	s.fail()
	h.wantLog(t, "reset while paused", "stop H3_REQUEST_CANCELLED; reset H3_REQUEST_CANCELLED; failed 0")
	s.request.Resume(h.now)
	h.wantLog(t, "resumed in vain", "")
}

// TestTakeContent: content is taken at once if it is there, and there is nothing else.
func TestTakeContent(t *testing.T) {
	header := headers(":status=200 content-length=3")
	abc := frame(FrameData, 'a', 'b', 'c')
	for name, tt := range map[string]struct {
		bytes []byte
		fin   bool
		want  string
	}{
		"whole":         {join(header, abc), true, `response 200 "abc" true`},
		"in parts":      {join(header, frame(FrameData, 'a'), frame(0x21, 'x'), frame(FrameData, 'b', 'c')), true, `response 200 "abc" true`},
		"no end":        {join(header, abc), false, `response 200 "" false`},
		"too short":     {join(header, frame(FrameData, 'a')), true, `response 200 "" false`},
		"trailers":      {join(header, abc, headers("x=y")), true, `response 200 "" false`},
		"half a frame":  {join(header, abc[:3]), true, `response 200 "" false`},
		"not announced": {join(headers(":status=200"), abc), true, `response 200 "abc" true`},
		"large":         {join(headers(":status=200"), frame(FrameData, make([]byte, 2*scratchSize)...)), true, `response 200 "" false`},
	} {
		h := &fakeHost{now: 1}
		h.request(clientConf()).feed(tt.bytes, tt.fin)
		h.wantLog(t, name, tt.want)
	}
}

// TestLargeResponses has a response's header decoded elsewhere.
func TestLargeResponses(t *testing.T) {
	conf := clientConf()
	conf.Settings.MaxFieldSectionSize, conf.LoopSection = 4<<10, 300
	large := " x=" + strings.Repeat("~", 500)
	h := &fakeHost{now: 1}
	s := h.request(conf)
	s.feed(join(headers(":status=103"+large), headers(":status=200"+large), frame(FrameData, 'x')), true)
	for _, want := range []string{"large; interim 103", `large; response 200 "x" true`} {
		if header := h.aside.DecodeResponse(); header == nil || len(header.Fields) != 1 {
			t.Fatalf("decoded %v", header)
		}
		h.conn.HandleDecoded(h.now, h.aside)
		h.wantLog(t, "decoded", want)
		s.request.Resume(h.now)
	}
	s = h.request(conf)
	s.feed(headers("X="+strings.Repeat("~", 500)), true)
	if header := h.aside.DecodeResponse(); header != nil {
		t.Errorf("decoded %v", header)
	}
	h.conn.HandleDecoded(h.now, h.aside)
	h.wantLog(t, "malformed", "large; stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0")
}

// sent returns a HEADERS frame as a Conn sends it.
func sent(fields []qpack.Field) []byte {
	b, mark := BeginHeaders(nil)
	return EndHeaders(qpack.AppendFieldSection(b, fields), mark)
}

// TestSendMessage: all of a message leaves in one piece.
func TestSendMessage(t *testing.T) {
	fields, trailers := []qpack.Field{{Name: ":method", Value: "GET"}}, []qpack.Field{{Name: "x", Value: "y"}}
	for name, tt := range map[string]struct {
		content  string
		trailers []qpack.Field
		want     []byte
	}{
		"header":  {"", nil, sent(fields)},
		"content": {"abc", nil, join(sent(fields), frame(FrameData, 'a', 'b', 'c'))},
		"all":     {"abc", trailers, join(sent(fields), frame(FrameData, 'a', 'b', 'c'), sent(trailers))},
	} {
		h := &fakeHost{now: 1}
		s := h.request(clientConf())
		if err := s.request.SendMessage(fields, []byte(tt.content), tt.trailers); err != nil || !s.fin || string(s.out) != string(tt.want) {
			t.Errorf("%s: %x, %v, %v, want %x", name, s.out, s.fin, err, tt.want)
		}
	}
}
