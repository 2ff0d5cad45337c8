package h3

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// readMessage feeds a stream in pieces and writes down what was found: section
// bytes in brackets, trailers in braces, content as it is.
func readMessage(r *MessageReader, stream []byte, size int) (found string, err error) {
	var out bytes.Buffer
	err = inPieces(stream, size, func(b []byte) error {
		for len(b) > 0 {
			p, n, err := r.Next(b)
			switch p.Kind {
			case PieceHeaders:
				fmt.Fprintf(&out, "[%s]", p.Bytes)
			case PieceTrailers:
				fmt.Fprintf(&out, "{%s}", p.Bytes)
			case PieceData:
				out.Write(p.Bytes)
			}
			if err != nil {
				return err
			}
			b = b[n:]
		}
		return nil
	})
	if err == nil {
		err = r.Finish()
	}
	return out.String(), err
}

func TestMessages(t *testing.T) {
	headers, trailers := frame(FrameHeaders, []byte("hdr")...), frame(FrameHeaders, []byte("trl")...)
	data := func(s string) []byte { return frame(FrameData, []byte(s)...) }
	reserved := frame(0x21, 1, 2, 3)
	for _, tt := range []struct {
		name      string
		stream    []byte
		want      string
		code      ErrorCode
		wholeConn bool
	}{
		{"headers", headers, "[hdr]", 0, false},
		{"empty section", frame(FrameHeaders), "[]", 0, false},
		{"content", join(headers, data("abc")), "[hdr]abc", 0, false},
		{"content in pieces", join(headers, data("ab"), data(""), data("c")), "[hdr]abc", 0, false},
		{"trailers", join(headers, data("abc"), trailers), "[hdr]abc{trl}", 0, false},
		{"trailers at once", join(headers, trailers), "[hdr]{trl}", 0, false},
		{"reserved frames everywhere", join(reserved, headers, reserved, data("abc"), reserved, trailers, reserved), "[hdr]abc{trl}", 0, false},
		{"nothing", nil, "", RequestIncomplete, false},
		{"only reserved frames", reserved, "", RequestIncomplete, false},
		{"content first", data("abc"), "", FrameUnexpected, true},
		{"content after trailers", join(headers, trailers, data("abc")), "[hdr]{trl}", FrameUnexpected, true},
		{"trailers twice", join(headers, trailers, trailers), "[hdr]{trl}", FrameUnexpected, true},
		{"type alone", []byte{0x01}, "", FrameError, true},
		{"half a length", []byte{0x01, 0x40}, "", FrameError, true},
		{"half a section", headers[:4], "", FrameError, true},
		{"half the content", join(headers, data("abc")[:4]), "[hdr]ab", FrameError, true},
		{"half a reserved frame", join(headers, reserved[:3]), "[hdr]", FrameError, true},
		{"CANCEL_PUSH", join(headers, frame(FrameCancelPush, 0)), "[hdr]", FrameUnexpected, true},
		{"SETTINGS", frame(FrameSettings), "", FrameUnexpected, true},
		{"PUSH_PROMISE", join(headers, frame(FramePushPromise, 0, 0, 0)), "[hdr]", FrameUnexpected, true},
		{"GOAWAY", join(headers, frame(FrameGoAway, 0)), "[hdr]", FrameUnexpected, true},
		{"MAX_PUSH_ID", join(headers, frame(FrameMaxPushID, 0)), "[hdr]", FrameUnexpected, true},
		{"frame 0x02 of HTTP/2", frame(0x02), "", FrameUnexpected, true},
		{"frame 0x06 of HTTP/2", join(headers, frame(0x06)), "[hdr]", FrameUnexpected, true},
		{"frame 0x08 of HTTP/2", join(headers, frame(0x08)), "[hdr]", FrameUnexpected, true},
		{"frame 0x09 of HTTP/2", join(headers, frame(0x09)), "[hdr]", FrameUnexpected, true},
		{"section at the limit", frame(FrameHeaders, bytes.Repeat([]byte("x"), 100)...), "[" + string(bytes.Repeat([]byte("x"), 100)) + "]", 0, false},
		{"section beyond the limit", AppendFrameHeader(nil, FrameHeaders, 101), "", ExcessiveLoad, false},
		{"trailers beyond the limit", join(headers, AppendFrameHeader(nil, FrameHeaders, 1<<40)), "[hdr]", ExcessiveLoad, false},
	} {
		for _, size := range pieceSizes {
			r := NewMessageReader(wire.ServerSide, 100)
			got, err := readMessage(&r, tt.stream, size)
			what := fmt.Sprintf("%s, in pieces of %d", tt.name, size)
			wantCode(t, what, err, tt.code, tt.wholeConn)
			if got != tt.want {
				t.Errorf("%s: %q, want %q", what, got, tt.want)
			}
		}
	}
}

// TestContentLength is the row "H3→H1 smuggling" of the known attacks: content
// and Content-Length agree on every way a message can end.
func TestContentLength(t *testing.T) {
	headers, trailers := frame(FrameHeaders, 'h'), frame(FrameHeaders, 't')
	content := frame(FrameData, []byte("abcd")...)
	for _, tt := range []struct {
		name   string
		length int64
		rest   []byte
		code   ErrorCode
	}{
		{"none announced, none sent", -1, nil, 0},
		{"none announced", -1, content, 0},
		{"exact", 4, content, 0},
		{"exact in two frames", 8, join(content, content), 0},
		{"exact with trailers", 4, join(content, trailers), 0},
		{"zero", 0, nil, 0},
		{"zero in a frame", 0, frame(FrameData), 0},
		{"zero but content", 0, content, MessageError},
		{"short", 5, content, MessageError},
		{"short by all, FIN with the headers", 1, nil, MessageError},
		{"short with trailers", 5, join(content, trailers), MessageError},
		{"short by all with trailers", 5, trailers, MessageError},
		{"long", 3, content, MessageError},
		{"long in the second frame", 4, join(content, frame(FrameData, 'x')), MessageError},
		{"long by a huge frame", 4, AppendFrameHeader(nil, FrameData, 1<<60), MessageError},
	} {
		for _, size := range pieceSizes {
			r := NewMessageReader(wire.ServerSide, 100)
			if p, n, err := r.Next(headers); p.Kind != PieceHeaders || n != len(headers) || err != nil {
				t.Fatalf("headers: %v, %d, %v", p, n, err)
			}
			r.ExpectLength(tt.length)
			found, err := readMessage(&r, tt.rest, size)
			wantCode(t, fmt.Sprintf("%s, in pieces of %d", tt.name, size), err, tt.code, false)
			if tt.length >= 0 && len(found) > int(tt.length)+len("{t}") {
				t.Errorf("%s: more content passed than announced: %q", tt.name, found)
			}
		}
	}
}

func TestResponses(t *testing.T) {
	headers := frame(FrameHeaders, 'h')
	r := NewMessageReader(wire.ClientSide, 100)
	for range 3 {
		if p, _, err := r.Next(headers); p.Kind != PieceHeaders || err != nil {
			t.Fatalf("interim response: %v, %v", p, err)
		}
		r.Interim()
	}
	got, err := readMessage(&r, join(headers, frame(FrameData, 'x'), headers), 1)
	if got != "[h]x{h}" || err != nil {
		t.Errorf("final response: %q, %v", got, err)
	}

	r = NewMessageReader(wire.ClientSide, 100)
	_, err = readMessage(&r, nil, 1)
	wantCode(t, "no response", err, MessageError, false)
	r = NewMessageReader(wire.ClientSide, 100)
	_, err = readMessage(&r, frame(FramePushPromise, 0, 0, 0), 1)
	wantCode(t, "PUSH_PROMISE", err, IDError, true)
}

func TestTunnel(t *testing.T) {
	headers := frame(FrameHeaders, 'h')
	r := NewMessageReader(wire.ServerSide, 100)
	if _, _, err := r.Next(headers); err != nil {
		t.Fatal(err)
	}
	r.Tunnel()
	got, err := readMessage(&r, join(frame(FrameData, 'x'), frame(0x21)), 2)
	if got != "x" || err != nil {
		t.Errorf("tunnel: %q, %v", got, err)
	}
	_, _, err = r.Next(headers)
	wantCode(t, "trailers in a tunnel", err, FrameUnexpected, true)
}

// TestSectionIsStoredAsItArrives is the row "Length-driven allocation" of the
// known attacks.
func TestSectionIsStoredAsItArrives(t *testing.T) {
	r := NewMessageReader(wire.ServerSide, 1<<30)
	if _, _, err := r.Next(AppendFrameHeader(nil, FrameHeaders, 1<<30)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Next(make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if cap(r.section) > 1000 {
		t.Errorf("%d bytes allocated for 100 of a section", cap(r.section))
	}
}

func TestMessageAllocatesNothing(t *testing.T) {
	stream := join(frame(FrameHeaders, make([]byte, 50)...), frame(FrameData, make([]byte, 500)...))
	if allocs := testing.AllocsPerRun(100, func() {
		r := NewMessageReader(wire.ServerSide, 1000)
		for b := stream; len(b) > 0; {
			_, n, err := r.Next(b)
			if err != nil {
				t.Fatal(err)
			}
			b = b[n:]
		}
	}); allocs != 0 {
		t.Errorf("%v allocations for a message in one piece", allocs)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(join(frame(FrameHeaders, 'h'), frame(FrameData, []byte("abc")...), frame(FrameHeaders, 't')), uint8(2), true)
	f.Add(join(frame(0x21, 1), frame(FrameHeaders, 'h', 'i'), frame(FrameData)), uint8(1), false)
	f.Add([]byte("\x01\x80\x00\x00\x02ab\x00\xc0\x00\x00\x00\x00\x00\x00\x01c"), uint8(3), true)
	f.Fuzz(func(t *testing.T, stream []byte, cut uint8, isServer bool) {
		side := wire.ClientSide
		if isServer {
			side = wire.ServerSide
		}
		r := NewMessageReader(side, 100)
		whole, want := readMessage(&r, stream, 1<<20)
		r = NewMessageReader(side, 100)
		pieces, got := readMessage(&r, stream, max(1, int(cut)))
		if whole != pieces || orNone(got) != orNone(want) {
			t.Fatalf("in pieces %q, %v, whole %q, %v", pieces, got, whole, want)
		}
		var conn *ConnError
		var one *StreamError
		if want != nil && !errors.As(want, &conn) && !errors.As(want, &one) && want != ErrSectionTooLarge {
			t.Fatalf("unexpected error %v", want)
		}
	})
}
