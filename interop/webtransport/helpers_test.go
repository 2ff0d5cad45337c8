package interop

import (
	"context"
	"testing"
	"time"
)

// patience bounds every conversation; none of them takes near as long.
const patience = 60 * time.Second

// sizes are the transfers every pair of peers must do whole.
var sizes = []int{0, 1, 1200, 64 << 10, 8 << 20}

func timeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}
