package wtclient

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/godwit-quic/godwit/webtransport"
)

// Pipe opens a bidirectional stream, sends what it reads from in, and writes what
// comes back to out, until the stream has ended in both directions, ctx ends or the
// session ends. It closes the session. The error is that of either direction, the
// cause of ctx's end, a *ClosedError, or the session's.
func Pipe(ctx context.Context, session *webtransport.Session, in io.Reader, out io.Writer) error {
	c := &client{session: session}
	err := c.pipe(ctx, in, out)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	var closed *webtransport.SessionError
	if errors.As(context.Cause(session.Context()), &closed) && closed.Code != 0 {
		err = &ClosedError{*closed}
	}
	_ = session.CloseWithError(0, "")
	c.awaitGone()
	return err
}

func (c *client) pipe(ctx context.Context, in io.Reader, out io.Writer) error {
	st, err := c.session.OpenStream(ctx)
	if err != nil {
		return fmt.Errorf("opening a stream: %w", err)
	}
	sent := make(chan error, 1) // the goroutine stays behind when it waits for input
	go func() {
		_, err := io.Copy(&st.SendStream, in)
		if err == nil {
			err = st.Close()
		}
		sent <- err
	}()
	received := make(chan error, 1)
	go func() {
		_, err := io.Copy(out, &st.ReceiveStream)
		received <- err
	}()
	select {
	case err := <-received: // the answer is all there is to wait for
		if err != nil {
			return fmt.Errorf("receiving: %w", err)
		}
		return nil
	case err := <-sent:
		if err != nil {
			return fmt.Errorf("sending: %w", err)
		}
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case err := <-received:
		if err != nil {
			return fmt.Errorf("receiving: %w", err)
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
