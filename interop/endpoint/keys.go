package main

import (
	"context"
	"time"

	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// keyUpdateWait is how long to wait before another try.
const keyUpdateWait = 5 * time.Millisecond

// updateKeys begins a key update as soon as that is possible, when the handshake is
// confirmed (RFC 9001, Section 6.1).
func updateKeys(ctx context.Context, conn *quic.Conn) error {
	link := face.Of(conn).Link
	for {
		result := make(chan error, 1)
		link.Do(func() { result <- link.UpdateKeys() })
		select {
		case err := <-result:
			if err == nil {
				return nil
			}
		case <-conn.Done():
			return conn.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		time.Sleep(keyUpdateWait)
	}
}
