package event

import (
	"io"
	"testing"
	"testing/synctest"

	"github.com/godwit-quic/godwit/quic"
)

// TestSetPriority has the stream that was written to last arrive first.
func TestSetPriority(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		const size = 200 << 10
		late, ss := e.streams(client, server)
		urgent, ss2 := e.streams(client, server)
		late.SetPriority(9, false)
		urgent.SetPriority(0, true)
		synctest.Wait() // the loop knows
		ended := make(chan uint64, 2)
		for _, s := range []*quic.Stream{ss, ss2} {
			go func() {
				if n, err := io.Copy(io.Discard, s); n != size || err != nil {
					t.Errorf("stream %d: %d bytes, %v", s.ID(), n, err)
				}
				ended <- s.ID()
			}()
		}
		Run(client, func(turn Turn) { // so that the loop sees both writes at once
			for _, s := range []*quic.Stream{late, urgent} {
				if n, err := turn.WriteLast(Of(s), make([]byte, size)); n != size || err != nil {
					t.Errorf("wrote %d bytes, %v", n, err)
				}
			}
		})
		if first, second := <-ended, <-ended; first != urgent.ID() || second != late.ID() {
			t.Errorf("streams ended in the order %d, %d", first, second)
		}
	})
}
