package http3

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

)

func ExampleCapsuleReader() {
	stream := AppendCapsule(nil, 1, []byte("hello"))
	stream = AppendCapsule(stream, 2, bytes.Repeat([]byte("skipped"), 1000))
	stream = AppendCapsule(stream, 1, []byte("world"))
	r := NewCapsuleReader(bytes.NewReader(stream), func(t uint64) int {
		if t == 1 {
			return 100
		}
		return -1
	})
	for {
		t, value, err := r.Next()
		if err == io.EOF {
			return
		}
		fmt.Printf("%d %s %v\n", t, value, err)
	}
	// Output:
	// 1 hello <nil>
	// 1 world <nil>
}

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
