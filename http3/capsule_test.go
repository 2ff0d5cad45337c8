package http3

import (
	"bytes"
	"errors"
	"testing"
	"testing/iotest"
)

func TestCapsuleReaderErrors(t *testing.T) {
	limit := func(uint64) int { return 3 }
	for name, stream := range map[string][]byte{
		"too long":  AppendCapsule(nil, 1, []byte("four")),
		"truncated": AppendCapsule(nil, 1, []byte("two"))[:4],
	} {
		_, _, err := NewCapsuleReader(iotest.OneByteReader(bytes.NewReader(stream)), limit).Next()
		var malformed *Error
		if !errors.As(err, &malformed) || malformed.Code != ErrCodeMessageError {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken := errors.New("broken")
	if _, _, err := NewCapsuleReader(iotest.ErrReader(broken), limit).Next(); err != broken {
		t.Errorf("%v", err)
	}
}
