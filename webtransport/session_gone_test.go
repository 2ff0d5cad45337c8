package webtransport

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/wt"
)

// TestGoneWithoutEnd: a peer that cancels a stream for the end of its session, and
// does not end that, is not waited for for ever.
func TestGoneWithoutEnd(t *testing.T) {
	simSession(t, &simScenario{}, func(t *testing.T, _ *simWorld, client, server *Session) {
		out, err := client.OpenUniStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		in, err := server.AcceptUniStream(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out.qs.CancelWrite(uint64(wt.CodeSessionGone))
		start := time.Now()
		_, err = io.ReadAll(in)
		var cancelled *StreamError
		if !errors.As(err, &cancelled) || cancelled.IsApplication || cancelled.HTTPCode != http3.ErrorCode(wt.CodeSessionGone) || !cancelled.Remote {
			t.Errorf("Read: %v", err)
		}
		if took := time.Since(start); took > 2*wt.CloseTimeout {
			t.Errorf("took %v", took)
		}
		if server.endedWith() != nil {
			t.Error("the session has ended")
		}
	})
}
