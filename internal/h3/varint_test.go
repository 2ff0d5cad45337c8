package h3

import (
	"io"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// slowStream gives one byte at a time, and nothing in between.
type slowStream struct {
	b    []byte
	wait bool
}

func (s *slowStream) TryRead(p []byte) (int, error) {
	if s.wait = !s.wait; s.wait || len(p) == 0 {
		return 0, nil
	}
	if len(s.b) == 0 {
		return 0, io.EOF
	}
	p[0] = s.b[0]
	s.b = s.b[1:]
	return 1, nil
}

func TestVarintReader(t *testing.T) {
	for _, want := range []uint64{0, 63, 64, 0x41, 16383, 16384, 1<<30 - 1, 1 << 30, wire.MaxVarint} {
		s := &slowStream{b: append(wire.AppendVarint(nil, want), "rest"...)}
		var r varintReader
		got, ok, err := uint64(0), false, error(nil)
		for range 20 {
			if got, ok, err = r.Read(s); ok || err != nil {
				break
			}
		}
		if got != want || !ok || err != nil {
			t.Errorf("read %d, %v, %v, want %d", got, ok, err, want)
		}
		if string(s.b) != "rest" || len(r.Bytes()) != wire.SizeVarint(want) {
			t.Errorf("%d: %q is left, %x was read", want, s.b, r.Bytes())
		}
	}
	s, r := &slowStream{b: []byte{0x40}}, varintReader{}
	var err error
	for i := 0; i < 20 && err == nil; i++ {
		_, _, err = r.Read(s)
	}
	if err != io.EOF {
		t.Errorf("end within the integer: %v", err)
	}
}
