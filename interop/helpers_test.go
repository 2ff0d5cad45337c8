package interop

import (
	"context"
	"io"
	"testing"
	"time"
)

// patience bounds every conversation; none of them takes near as long.
const patience = 60 * time.Second

const echoALPN = "godwit-echo"

// sizes are the transfers every pair of peers must do whole.
var sizes = []int{0, 1, 1200, 64 << 10, 8 << 20}

func timeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// halfCloser is a bidirectional stream of any implementation.
type halfCloser interface {
	io.ReadWriteCloser // Close ends the sending half
}

// echo serves one stream.
func echo(s halfCloser) {
	_, _ = io.Copy(s, s) // the client checks what comes back
	_ = s.Close()
}
