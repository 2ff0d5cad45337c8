package wtclient

import (
	"testing"
	"time"
)

func TestWindow(t *testing.T) {
	var w window
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Second) }
	if _, ok := w.take(1); ok {
		t.Error("1 was never sent")
	}
	for i := 1; i <= 5; i++ {
		w.add(at(i))
	}
	for _, tt := range []struct {
		number uint64
		want   bool
	}{{3, true}, {3, false}, {1, true}, {0, false}, {6, false}, {5, true}} {
		got, ok := w.take(tt.number)
		if ok != tt.want || ok && !got.Equal(at(int(tt.number))) {
			t.Errorf("%d: %v, %v, want %v", tt.number, got, ok, tt.want)
		}
	}
	w.add(at(13)) // 2 is too old by now, 4 is not
	if _, ok := w.take(2); ok {
		t.Error("2 is still expected")
	}
	if got, ok := w.take(4); !ok || !got.Equal(at(4)) {
		t.Errorf("4: %v, %v", got, ok)
	}
	w.add(at(14))
	if w.first != 6 || len(w.sent) != 2 {
		t.Errorf("remembers %d from %d on, want 2 from 6 on", len(w.sent), w.first)
	}
}
