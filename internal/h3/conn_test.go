package h3

import (
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// TestConnRequests feeds a server with requests, in pieces of all sizes, and wants what it
// makes of them: table 1 of RFC 9114, Section 7.2, and the rules of Sections 4.1 to 4.4
// for messages.
func TestConnRequests(t *testing.T) {
	five := headers(postFields + "content-length=5")
	tunnel := headers(":method=CONNECT :protocol=echo :scheme=https :authority=a :path=/t")
	const begun = "request 0 POST a/ ; "
	for _, tt := range []struct {
		name  string
		bytes []byte
		fin   bool
		want  string
	}{
		{"no content", headers(getFields), true, "request 0 GET a/ ; end []"},
		{"not ended", headers(getFields), false, "request 0 GET a/ "},
		{"content", join(five, frame(FrameData, 'a', 'b'), frame(FrameData, 'c', 'd', 'e')), true, begun + "content abcde; end []"},
		{"reserved frames", join(frame(0x21, 1), headers(getFields), frame(0x21, 1)), true, "request 0 GET a/ ; end []"},
		{"trailers", join(headers(postFields), frame(FrameData, 'x'), headers("x=y z=")), true, begun + "content x; end [{x y} {z }]"},
		{"a tunnel", join(tunnel, frame(FrameData, 'x')), true, "request 0 CONNECT a/t echo; content x; end []"},
		{"a tunnel's trailers", join(tunnel, headers("x=y")), false, "request 0 CONNECT a/t echo; close H3_FRAME_UNEXPECTED; error H3_FRAME_UNEXPECTED true"},

		{"no request", nil, true, "stop H3_REQUEST_INCOMPLETE; reset H3_REQUEST_INCOMPLETE; failed 0"},
		{"only a reserved frame", frame(0x21, 1), true, "stop H3_REQUEST_INCOMPLETE; reset H3_REQUEST_INCOMPLETE; failed 0"},
		{"no :method", headers(":scheme=https :authority=a :path=/"), true, "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"a response", headers(":status=200"), true, "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"too short with FIN", five, true, "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"DATA first", frame(FrameData, 'x'), false, "close H3_FRAME_UNEXPECTED; failed 0"},
		{"SETTINGS", frame(FrameSettings), false, "close H3_FRAME_UNEXPECTED; failed 0"},
		{"PUSH_PROMISE", frame(FramePushPromise, 0, 0, 0), false, "close H3_FRAME_UNEXPECTED; failed 0"},
		{"a frame of HTTP/2", frame(0x06, 1), false, "close H3_FRAME_UNEXPECTED; failed 0"},
		{"half a frame", headers(getFields)[:5], true, "close H3_FRAME_ERROR; failed 0"},
		{"half a frame's header", []byte{1}, true, "close H3_FRAME_ERROR; failed 0"},
		{"an invalid index", frame(FrameHeaders, 0, 0, 0xff, 0x24), true, "close QPACK_DECOMPRESSION_FAILED; failed 0"},
		{"a reference to nothing", frame(FrameHeaders, 0, 0, 0x80), true, "close QPACK_DECOMPRESSION_FAILED; failed 0"},
		{"too large", headers(getFields + "x=" + strings.Repeat("~", 1000)), false, "stop H3_NO_ERROR; failed 0"},
		{"too large once decoded", frame(FrameHeaders, append([]byte{0, 0}, strings.Repeat("\xd9", 500)...)...), false, "stop H3_NO_ERROR; failed 0"},

		{"too short", join(five, frame(FrameData, 'a')), true, begun + "content a; stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; error H3_MESSAGE_ERROR false"},
		{"too long", join(five, frame(FrameData, 1, 2, 3, 4, 5, 6)), true, begun + "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; error H3_MESSAGE_ERROR false"},
		{"a pseudo-header field in trailers", join(headers(postFields), headers(":path=/")), true, begun + "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; error H3_MESSAGE_ERROR false"},
		{"large trailers", join(headers(postFields), headers("x="+strings.Repeat("~", 1000))), true, begun + "stop H3_EXCESSIVE_LOAD; reset H3_EXCESSIVE_LOAD; error H3_EXCESSIVE_LOAD false"},
		{"DATA after trailers", join(headers(postFields), headers("x=y"), frame(FrameData, 'x')), true, begun + "close H3_FRAME_UNEXPECTED; error H3_FRAME_UNEXPECTED true"},
		{"trailers twice", join(headers(postFields), headers("x=y"), headers("x=y")), true, begun + "close H3_FRAME_UNEXPECTED; error H3_FRAME_UNEXPECTED true"},
		{"GOAWAY", join(headers(postFields), frame(FrameGoAway, 0)), true, begun + "close H3_FRAME_UNEXPECTED; error H3_FRAME_UNEXPECTED true"},
		{"half a frame of content", join(headers(postFields), frame(FrameData, 'a', 'b')[:3]), true, begun + "content a; close H3_FRAME_ERROR; error H3_FRAME_ERROR true"},
	} {
		for _, size := range pieceSizes {
			h := newFake(serverConf())
			s, rest := h.feed(0, nil, false), tt.bytes
			for ; len(rest) > size; rest = rest[size:] {
				s.feed(rest[:size], false)
			}
			s.feed(rest, tt.fin)
			if got := joinContent(h.take()); got != tt.want {
				t.Errorf("%s, %d bytes at a time:\n got %s\nwant %s", tt.name, size, got, tt.want)
			}
			if h.counted != 0 && tt.fin {
				t.Errorf("%s: %d bytes are still counted", tt.name, h.counted)
			}
		}
	}
}

// joinContent makes one of pieces of content.
func joinContent(log string) string {
	log = strings.ReplaceAll(log, `"; content "`, "")
	return strings.ReplaceAll(log, `"`, "")
}

// TestConnResponses does the same with a client.
func TestConnResponses(t *testing.T) {
	for _, tt := range []struct {
		name, method string
		bytes        []byte
		fin          bool
		want         string
	}{
		{"no content", "GET", headers(":status=204"), true, "response 0 204; end []"},
		{"content", "GET", join(headers(":status=200 content-length=1"), frame(FrameData, 'x')), true, "response 0 200; content x; end []"},
		{"HEAD", "HEAD", headers(":status=200 content-length=5"), true, "response 0 200; end []"},
		{"not modified", "GET", headers(":status=304 content-length=5"), true, "response 0 304; end []"},
		{"CONNECT", "CONNECT", join(headers(":status=200 content-length=5"), frame(FrameData, 'x')), true, "response 0 200; content x; end []"},
		{"interim", "GET", join(headers(":status=103"), headers(":status=100"), headers(":status=200"), headers("x=y")), true, "interim 103; interim 100; response 0 200; end [{x y}]"},

		{"nothing", "GET", nil, true, "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"only interim", "GET", headers(":status=100"), true, "interim 100; stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"a request", "GET", headers(getFields), true, "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"status 101", "GET", headers(":status=101"), true, "stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 0"},
		{"DATA after interim", "GET", join(headers(":status=100"), frame(FrameData, 'x')), true, "interim 100; close H3_FRAME_UNEXPECTED; failed 0"},
		{"PUSH_PROMISE", "GET", frame(FramePushPromise, 0, 0, 0), true, "close H3_ID_ERROR; failed 0"},
		{"too large", "GET", headers(":status=200 x=" + strings.Repeat("~", 1000)), true, "stop H3_EXCESSIVE_LOAD; reset H3_EXCESSIVE_LOAD; failed 0"},
		{"content of HEAD", "HEAD", join(headers(":status=200"), frame(FrameData, 'x')), true, "response 0 200; stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; error H3_MESSAGE_ERROR false"},
		{"too short", "GET", join(headers(":status=200 content-length=2"), frame(FrameData, 'x')), true, "response 0 200; content x; stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; error H3_MESSAGE_ERROR false"},
		{"a tunnel's trailers", "CONNECT", join(headers(":status=200"), headers("x=y")), true, "response 0 200; close H3_FRAME_UNEXPECTED; error H3_FRAME_UNEXPECTED true"},
	} {
		h := newFake(clientConf())
		s := &fakeStream{host: h}
		h.conn.BeginRequest(&s.request, 0, s, tt.method, false)
		if err := s.request.SendHeaders([]qpack.Field{{Name: ":method", Value: tt.method}}, true); err != nil {
			t.Fatal(err)
		}
		s.feed(tt.bytes, tt.fin)
		if got := joinContent(h.take()); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// TestInterimWithoutEnd has a server send interim responses until they are too large.
func TestInterimWithoutEnd(t *testing.T) {
	h := newFake(clientConf())
	s := &fakeStream{host: h}
	h.conn.BeginRequest(&s.request, 0, s, "GET", false)
	for range 30 {
		s.feed(headers(":status=103"), false)
	}
	if s.resetCode != ExcessiveLoad {
		t.Errorf("reset with %v: %s", s.resetCode, h.take())
	}
}

// TestPeersUniStreams feeds both ends with unidirectional streams.
func TestPeersUniStreams(t *testing.T) {
	const settings = "\x00\x04\x00"
	for _, tt := range []struct {
		name, bytes string
		fin         bool
		server      string
		client      string // as server if ""
	}{
		{"SETTINGS", settings, false, "settings", ""},
		{"GOAWAY", settings + "\x07\x01\x08", false, "settings; goaway 8", ""},
		{"PRIORITY_UPDATE", settings + "\x80\x0f\x07\x00\x06\x00u=1,i", false, "settings; priority 0 {1 true}", "close H3_FRAME_UNEXPECTED"},
		{"an unknown type", "\x21abc", false, "stop H3_STREAM_CREATION_ERROR", ""},
		{"a push stream", "\x01\x00", false, "close H3_STREAM_CREATION_ERROR", "close H3_ID_ERROR"},
		{"no SETTINGS", "\x00\x07\x01\x00", false, "close H3_MISSING_SETTINGS", ""},
		{"SETTINGS twice", settings + "\x04\x00", false, "close H3_FRAME_UNEXPECTED", ""},
		{"a setting twice", "\x00\x04\x04\x06\x01\x06\x01", false, "close H3_SETTINGS_ERROR", ""},
		{"control stream finished", settings, true, "close H3_CLOSED_CRITICAL_STREAM", ""},
		{"encoder stream finished", "\x02", true, "close H3_CLOSED_CRITICAL_STREAM", ""},
		{"decoder stream finished", "\x03", true, "close H3_CLOSED_CRITICAL_STREAM", ""},
		{"GOAWAY with a larger ID", settings + "\x07\x01\x04\x07\x01\x08", false, "close H3_ID_ERROR", ""},
		{"an encoder's nonsense", "\x02\x3f\xe2\x1f", false, "close QPACK_ENCODER_STREAM_ERROR", ""},
		{"a decoder's nonsense", "\x03\x80", false, "close QPACK_DECODER_STREAM_ERROR", ""},
		{"a stream without type", "", true, "", ""},
	} {
		for _, conf := range []Config{serverConf(), clientConf()} {
			want := tt.server
			if conf.Side == clientConf().Side && tt.client != "" {
				want = tt.client
			}
			h := newFake(conf)
			h.feed(uint64(2+conf.Side.Peer()), []byte(tt.bytes), tt.fin)
			got := h.take()
			if _, last, _ := strings.Cut("; "+got, "settings; "); last != "" && h.closed != 0 {
				got = last // SETTINGS came in the same piece as what closes the connection
			}
			if got != want {
				t.Errorf("%v: %s: %s, want %s", conf.Side, tt.name, got, want)
			}
		}
	}
}

// TestOwnStreamsStopped has the peer stop reading this end's critical streams.
func TestOwnStreamsStopped(t *testing.T) {
	h := newFake(clientConf())
	h.feed(3, []byte("\x00\x04\x03\x01\x50\x00"), false)
	if len(h.own) != 2 { // control and encoder streams
		t.Fatalf("%d streams of its own", len(h.own))
	}
	for i := range h.own {
		h := newFake(clientConf())
		h.feed(3, []byte("\x00\x04\x03\x01\x50\x00"), false)
		s := h.own[i]
		s.Reset(NoError)
		h.take()
		s.handler.HandleWritable(h.now)
		h.wantLog(t, "stopped", "close H3_CLOSED_CRITICAL_STREAM")
	}
}

// TestBlockedSections has header sections, of requests and of responses, and trailers
// wait for insertions that come later, or never.
func TestBlockedSections(t *testing.T) {
	// "x: y" is inserted, and referred to by its relative index 0 (RFC 9204, Section 4.5).
	insert := []byte("\x02\x3f\xe1\x1f\x41x\x01y")
	reference := "\x02\x00\x80"
	head := func(start string) []byte {
		return frame(FrameHeaders, append([]byte(reference), section(start)[2:]...)...)
	}
	// Pseudo-header fields come first, so that the reference is their section's last.
	request := frame(FrameHeaders, append(append([]byte("\x02\x00"), section(getFields)[2:]...), 0x80)...)
	response := frame(FrameHeaders, append(append([]byte("\x02\x00"), section(":status=200")[2:]...), 0x80)...)
	interim := frame(FrameHeaders, append(append([]byte("\x02\x00"), section(":status=103")[2:]...), 0x80)...)

	h := newFake(serverConf())
	h.feed(0, request, true)
	h.feed(4, join(headers(postFields), frame(FrameData, 'x'), head("")), true)
	h.wantLog(t, "before", `request 4 POST a/ ; content "x"`)
	h.feed(2, insert, false)
	h.wantLog(t, "after", "request 0 GET a/ ; end []; end [{x y}]")
	if len(h.own) != 2 || h.counted != 0 {
		t.Errorf("%d streams of its own, %d bytes counted", len(h.own), h.counted)
	}

	h = newFake(clientConf())
	s := &fakeStream{host: h}
	h.conn.BeginRequest(&s.request, 0, s, "GET", false)
	s.feed(join(interim, response, frame(FrameData, 'x')), true)
	h.wantLog(t, "client before", "")
	h.feed(3, insert, false)
	h.wantLog(t, "client after", `interim 103; response 0 200; content "x"; end []`)

	// A stream that is reset meanwhile frees its place.
	h = newFake(serverConf())
	for id := uint64(0); id < 20; id += 4 {
		s := h.feed(id, request, false)
		h.take()
		s.fail()
		h.wantLog(t, "reset while blocked", "stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed "+string(itoa(id)))
	}
	// One more than is allowed (RFC 9204, Section 2.1.2).
	h.feed(20, request, false)
	h.feed(24, request, false)
	h.take()
	h.feed(28, request, false)
	h.wantLog(t, "too many blocked", "close QPACK_DECOMPRESSION_FAILED; failed 28")
}

func itoa(id uint64) string {
	if id < 10 {
		return string(rune('0' + id))
	}
	return string(rune('0'+id/10)) + string(rune('0'+id%10))
}

// TestLargeSections has sections decoded elsewhere, in time, late, and in vain.
func TestLargeSections(t *testing.T) {
	conf := serverConf()
	conf.LoopSection = 300
	large := headers(getFields + "x=" + strings.Repeat("~", 500))
	h := newFake(conf)
	s := h.feed(0, join(large, frame(FrameData, 'x')), false)
	h.wantLog(t, "large", "large")
	if header := h.aside.DecodeRequest(); header == nil || header.Path != "/" {
		t.Fatalf("decoded %v", header)
	}
	h.conn.HandleDecoded(h.now, h.aside)
	s.feed(nil, true)
	h.wantLog(t, "decoded", `request 0 GET a/ ; content "x"; end []`)

	s = h.feed(4, large, false)
	s.fail()
	h.aside.DecodeRequest()
	h.conn.HandleDecoded(h.now, h.aside)
	h.wantLog(t, "reset meanwhile", "large; stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 4")

	h.feed(8, headers(getFields+"X="+strings.Repeat("~", 500)), false)
	h.aside.DecodeRequest()
	h.conn.HandleDecoded(h.now, h.aside)
	h.wantLog(t, "malformed", "large; stop H3_MESSAGE_ERROR; reset H3_MESSAGE_ERROR; failed 8")
	if h.counted != 0 {
		t.Errorf("%d bytes are still counted", h.counted)
	}
}

// TestHeaderLimits bounds the time and the memory that unfinished header sections take,
// and how many requests may be of no use (RFC 9114, Section 10.5).
func TestHeaderLimits(t *testing.T) {
	conf := serverConf()
	conf.HeaderTimeout = time.Second
	begun := headers(getFields + "x=" + strings.Repeat("~", 800))[:500]
	h := newFake(conf)
	for id := uint64(0); id < 12; id += 4 {
		h.feed(id, begun, false)
		h.now = h.now.Add(100 * time.Millisecond)
	}
	if at, want := h.conn.Deadline(), 1+1e9; float64(at) != want {
		t.Errorf("deadline %v, want %v", at, want)
	}
	h.now = h.conn.Deadline()
	h.conn.HandleDeadline(h.now)
	h.wantLog(t, "late", "stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 0")
	h.now = h.now.Add(150 * time.Millisecond)
	h.conn.HandleDeadline(h.now)
	h.wantLog(t, "late", "stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 4")

	// What is kept is bounded for all together.
	h = newFake(serverConf())
	rejected := uint64(0)
	for id := uint64(0); rejected == 0; id += 4 {
		if s := h.feed(id, begun, false); s.resetCode == RequestRejected {
			rejected = id / 4
			if kept := s.request.reader.Held(); kept > 0 {
				t.Errorf("%d bytes are kept of a rejected request", kept)
			}
		}
		if h.counted > 1000+headerSlack+2*len(begun) {
			t.Fatalf("%d bytes are kept", h.counted)
		}
	}
	if rejected < 50 {
		t.Errorf("request %d was rejected", rejected)
	}
	// So does the host.
	h = newFake(serverConf())
	h.limit = 100
	h.feed(0, begun, false)
	h.wantLog(t, "host without memory", "stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 0")

	for _, admission := range []Admission{Busy, Flood} {
		h = newFake(serverConf())
		h.admits = admission
		n := 0
		for ; h.closed == 0 && n < 2*churnBurst; n++ {
			h.feed(uint64(4*n), headers(getFields), true)
		}
		if want := map[Admission]ErrorCode{Busy: 0, Flood: ExcessiveLoad}[admission]; h.closed != want {
			t.Errorf("admission %d: closed with %v after %d requests", admission, h.closed, n)
		}
	}
}

// TestGoodbye ends a server's connection in two steps (RFC 9114, Section 5.2).
func TestGoodbye(t *testing.T) {
	h := newFake(serverConf())
	h.conn.Leave(h.now, time.Second)
	h.feed(0, headers(getFields), true)
	h.now = h.conn.Deadline()
	h.conn.HandleDeadline(h.now)
	h.feed(4, headers(getFields), true)
	h.now = h.conn.Deadline()
	h.conn.HandleDeadline(h.now)
	h.wantLog(t, "goodbye", "request 0 GET a/ ; end []; stop H3_REQUEST_REJECTED; reset H3_REQUEST_REJECTED; failed 4; left")
	control := string(h.own[0].out)
	if !strings.HasSuffix(control, "\x07\x08\xff\xff\xff\xff\xff\xff\xff\xfc\x07\x01\x04") || !h.conn.Left() || h.conn.Deadline() != 0 {
		t.Errorf("control stream %q, left %v, deadline %v", control, h.conn.Left(), h.conn.Deadline())
	}
}

// TestExtensionStreams has streams that an extension has claimed, whose beginnings come
// byte by byte, and nothing beyond them is read.
func TestExtensionStreams(t *testing.T) {
	claimed := func(conf Config) *fakeHost {
		h := &fakeHost{now: 1, read: true}
		h.conn = NewConn(conf, h, h)
		h.conn.Claim(0x54, 0x41)
		h.conn.Start(0)
		return h
	}
	h := claimed(serverConf())
	h.feed(2, []byte("\x40\x54abc"), false)
	h.feed(4, []byte("\x40\x41abc"), false)
	s := h.feed(8, []byte("\x40"), false)
	s.feed([]byte("\x41"), true)
	h.feed(12, headers(getFields), true)
	h.wantLog(t, "server", `extension 2 0x54 "abc" <nil>; failed 4; extension 4 0x41 "abc" <nil>; failed 8; extension 8 0x41 "" EOF; request 12 GET a/ ; end []`)
	h.feed(16, join(headers(postFields), []byte("\x40\x41\x00")), false)
	h.wantLog(t, "later in a stream", "request 16 POST a/ ; close H3_FRAME_ERROR; error H3_FRAME_ERROR true")

	h = claimed(clientConf())
	h.feed(1, []byte("\x40\x41abc"), false)
	h.wantLog(t, "client", `extension 1 0x41 "abc" <nil>`)
	h.feed(5, []byte("\x01"), false)
	h.wantLog(t, "a server's request", "close H3_STREAM_CREATION_ERROR")
	h = newFake(clientConf())
	h.feed(1, []byte("\x40\x41abc"), false)
	h.wantLog(t, "not claimed", "close H3_STREAM_CREATION_ERROR")
}

// TestWriting sends messages over a stream that takes little at a time.
func TestWriting(t *testing.T) {
	h := newFake(serverConf())
	s := h.feed(0, headers(getFields), true)
	rs := &s.request
	s.room = 10
	if err := rs.SendHeaders([]qpack.Field{{Name: ":status", Value: "200"}, {Name: "server", Value: "x"}}, false); err != nil {
		t.Fatal(err)
	}
	content := []byte(strings.Repeat("0123456789", 5))
	for sent := 0; ; {
		n, err := rs.Write(content[sent:], true)
		if err != nil {
			t.Fatal(err)
		}
		if sent += n; sent == len(content) {
			break
		}
		s.room += 7
	}
	b, mark := BeginHeaders(nil)
	want := join(EndHeaders(append(b, section(":status=200 server=x")...), mark), frame(FrameData, content...))
	if string(s.out) != string(want) || !s.fin {
		t.Errorf("sent %q, FIN %v, want %q", s.out, s.fin, want)
	}

	s = h.feed(4, headers(getFields), true)
	s.room = 1
	for n := 0; ; n++ {
		if err := s.request.Send(make([]byte, 1000)); err != nil {
			if code, wholeConn := Code(err); code != ExcessiveLoad || wholeConn || n < 1000 {
				t.Errorf("%v after %d", err, n)
			}
			break
		}
	}
	s.room = 1 << 30
	h.take()
	s.handler.HandleWritable(h.now)
	h.wantLog(t, "room again", "writable")
	if s.request.Unsent() != 0 {
		t.Errorf("%d bytes unsent", s.request.Unsent())
	}
}
