package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestLimit reads at a rate, in virtual time.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := bytes.Repeat([]byte("x"), 100_000)
		start := time.Now()
		got, err := io.ReadAll(limit(t.Context(), io.NopCloser(bytes.NewReader(content)), 10_000))
		if took := time.Since(start); !bytes.Equal(got, content) || err != nil || took < 9*time.Second || took > 10*time.Second {
			t.Errorf("%d bytes, %v, in %v", len(got), err, took)
		}
		start = time.Now()
		if _, err := io.ReadAll(limit(t.Context(), io.NopCloser(bytes.NewReader(content)), 0)); err != nil || time.Since(start) != 0 {
			t.Errorf("without a limit: %v, in %v", err, time.Since(start))
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		time.AfterFunc(time.Second, func() { cancel(why) })
		start = time.Now()
		if _, err := io.ReadAll(limit(ctx, io.NopCloser(bytes.NewReader(content)), 1000)); !errors.Is(err, why) || time.Since(start) != time.Second {
			t.Errorf("interrupted: %v, after %v", err, time.Since(start))
		}
	})
}
