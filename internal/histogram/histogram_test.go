package histogram

import (
	"math"
	"testing"
	"time"
)

func TestBuckets(t *testing.T) {
	last := -1
	for _, v := range []uint64{0, 1, 127, 128, 255, 256, 257, 258, 511, 512, 1000, 1 << 20, 1<<20 + 1<<13, 1 << 40, math.MaxInt64} {
		b := bucket(v)
		if b < last || b >= len(Histogram{}.counts) {
			t.Errorf("%d is in bucket %d, the one before was %d", v, b, last)
		}
		last = b
		if top := highest(b); top < v || float64(top-v) > float64(v)/fine {
			t.Errorf("%d counts as %d", v, top)
		}
		if bucket(highest(b)) != b || bucket(highest(b)+1) != b+1 {
			t.Errorf("bucket %d does not end at %d", b, highest(b))
		}
	}
}

func TestQuantile(t *testing.T) {
	var h, other Histogram
	if got := h.Quantile(0.5); got != 0 {
		t.Errorf("median of nothing is %v", got)
	}
	for i := range 500 {
		h.Add(time.Duration(i+1) * time.Microsecond)
		other.Add(time.Duration(i+501) * time.Microsecond)
	}
	h.Merge(&other)
	h.Add(-1)
	for _, tt := range []struct {
		q    float64
		want time.Duration
	}{{0, 0}, {0.5, 500 * time.Microsecond}, {0.99, 990 * time.Microsecond}, {1, 1000 * time.Microsecond}} {
		if got := h.Quantile(tt.q); got < tt.want || got > tt.want+tt.want/100 {
			t.Errorf("quantile %v is %v, want %v", tt.q, got, tt.want)
		}
	}
}
