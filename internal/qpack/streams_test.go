package qpack

import (
	"errors"
	"testing"
)

func TestEncoderStream(t *testing.T) {
	for _, tt := range []struct {
		name, bytes string
		want        error
	}{
		{"nothing", "", nil},
		{"capacity 0", "20", nil},
		{"capacity 0 again and again", "202020", nil},
		{"capacity 1", "21", errInstruction},
		{"capacity 220", "3fbd01", errInstruction},
		{"insert with static name", "c00f7777772e6578616d706c652e636f6d", errInstruction},
		{"insert with literal name", "4a637573746f6d2d6b65790c637573746f6d2d76616c7565", errInstruction},
		{"duplicate", "02", errInstruction},
	} {
		raw := unhex(t, tt.bytes)
		if err := CheckEncoderStream(raw); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestDecoderStream(t *testing.T) {
	for _, tt := range []struct {
		name, bytes string
		want        error
	}{
		{"nothing", "", nil},
		{"cancel stream 8", "48", nil},
		{"cancel large streams", "7fe10f 7ffeffffff0f 44", nil},
		{"section acknowledgment", "84", errAckOfNothing},
		{"acknowledgment after a cancellation", "7fe10f 84", errAckOfNothing},
		{"insert count increment", "01", errIncrement},
		{"insert count increment of 0", "00", errIncrement},
		{"integer without end", "7f ffffffffffffffffffff", errStreamInteger},
	} {
		raw := unhex(t, tt.bytes)
		var whole DecoderStream
		if err := whole.Feed(raw); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
		var piecewise DecoderStream
		var err error
		for i := 0; i < len(raw) && err == nil; i++ {
			err = piecewise.Feed(raw[i : i+1])
		}
		if !errors.Is(err, tt.want) {
			t.Errorf("%s, byte by byte: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestErrorCodes(t *testing.T) {
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{errDynamic, "qpack: reference to the dynamic table, whose capacity is 0 (QPACK_DECOMPRESSION_FAILED)"},
		{errInstruction, "qpack: encoder instruction, though the dynamic table's capacity is 0 (QPACK_ENCODER_STREAM_ERROR)"},
		{errIncrement, "qpack: insert count increment, though nothing was inserted (QPACK_DECODER_STREAM_ERROR)"},
		{&Error{Code: 7, Reason: "x"}, "qpack: x (unknown QPACK error)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func FuzzDecoderStream(f *testing.F) {
	f.Add([]byte("\x48\x7f\xe1\x0f\x84"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		var whole, halves DecoderStream
		want := whole.Feed(b)
		i := min(int(cut), len(b))
		got := halves.Feed(b[:i])
		if got == nil {
			got = halves.Feed(b[i:])
		}
		if got != want {
			t.Fatalf("in two pieces %v, whole %v", got, want)
		}
	})
}
