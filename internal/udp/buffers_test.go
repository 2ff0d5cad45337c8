package udp

import (
	"errors"
	"testing"
)

func TestGrowBuffer(t *testing.T) {
	const initial = 200 << 10
	tests := []struct {
		name     string
		want     int
		refuse   int // sizes above this are refused
		cut      int // sizes above this are cut
		expected int
		calls    int
	}{
		{"granted", 7 << 20, 1 << 30, 1 << 30, 7 << 20, 1},
		{"already larger", 100 << 10, 1 << 30, 1 << 30, initial, 0},
		{"cut, as by Linux", 7 << 20, 1 << 30, 4 << 20, 4 << 20, 1},
		{"refused, as by the BSDs", 8 << 20, 3 << 20, 1 << 30, 2 << 20, 3},
		{"always refused", 8 << 20, 0, 1 << 30, initial, 7},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			size, calls := initial, 0
			set := func(n int) error {
				calls++
				if n > tt.refuse {
					return errors.New("refused")
				}
				size = min(n, tt.cut)
				return nil
			}
			got := growBuffer(tt.want, set, func() int { return size })
			if got != tt.expected || calls != tt.calls {
				t.Errorf("got %d bytes in %d calls, want %d in %d", got, calls, tt.expected, tt.calls)
			}
		})
	}
}
