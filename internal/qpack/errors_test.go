package qpack

import "testing"

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  *Error
		want string
	}{
		{errReference, "qpack: reference to an entry that is not in the dynamic table (QPACK_DECOMPRESSION_FAILED)"},
		{errCapacity, "qpack: capacity is larger than allowed (QPACK_ENCODER_STREAM_ERROR)"},
		{errIncrement, "qpack: insert count increment of 0, or beyond what was inserted (QPACK_DECODER_STREAM_ERROR)"},
		{&Error{Code: 7, Reason: "x"}, "qpack: x (unknown QPACK error)"},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}
