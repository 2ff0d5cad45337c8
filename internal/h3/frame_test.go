package h3

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/qpack"
)

func TestHeadersFrame(t *testing.T) {
	for _, size := range []int{0, 1, 63, 64, 16383, 16384, 1 << 20} {
		section := bytes.Repeat([]byte{0xab}, size)
		b, mark := BeginHeaders([]byte("before"))
		b = EndHeaders(append(b, section...), mark)
		rest, ok := bytes.CutPrefix(b, []byte("before"))
		if !ok {
			t.Fatalf("%d bytes: what came before changed", size)
		}
		var r frameReader
		n := r.readHeader(rest)
		if !r.inFrame || r.typ != FrameHeaders || r.left != uint64(size) || !bytes.Equal(rest[n:], section) {
			t.Errorf("%d bytes: frame of type %v, %d bytes, header of %d", size, r.typ, r.left, n)
		}
	}
}

func TestNames(t *testing.T) {
	for got, want := range map[fmt.Stringer]string{
		FrameData: "DATA", FrameHeaders: "HEADERS", FrameCancelPush: "CANCEL_PUSH", FrameSettings: "SETTINGS",
		FramePushPromise: "PUSH_PROMISE", FrameGoAway: "GOAWAY", FrameMaxPushID: "MAX_PUSH_ID",
		FrameType(0x21): "frame type 0x21",
		NoError:         "H3_NO_ERROR", MessageError: "H3_MESSAGE_ERROR", VersionFallback: "H3_VERSION_FALLBACK",
		ErrorCode(0x200): "QPACK_DECOMPRESSION_FAILED", ErrorCode(0x203): "error 0x203", ErrorCode(0): "error 0x0",
	} {
		if got.String() != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	wantCode(t, "an error of another package", bytes.ErrTooLarge, InternalError, false)
	wantCode(t, "section too large", ErrSectionTooLarge, ExcessiveLoad, false)
	wantCode(t, "blocked sections too large", qpack.ErrBlockedTooLarge, ExcessiveLoad, false)
	if got, want := (&ConnError{IDError, "x"}).Error(), "h3: x (H3_ID_ERROR)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := (&StreamError{RequestRejected, "x"}).Error(), "h3: x (H3_REQUEST_REJECTED)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
