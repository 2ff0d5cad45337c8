package wtclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/quic"
)

// maxLine is the longest line that is sent as a message, in bytes.
const maxLine = 16 << 20

// Kind is how a message is sent.
type Kind string

// The kinds of messages: a datagram, or a stream of its own.
const (
	Datagram Kind = "datagram"
	Bidi     Kind = "bidi"
	Uni      Kind = "uni"
)

// Message is something to send.
type Message struct {
	Kind Kind
	Text string
}

// send sends one message, and waits until a stream was acknowledged.
func (c *client) send(ctx context.Context, kind Kind, data []byte) error {
	switch kind {
	case Datagram:
		return c.sendDatagram(data)
	case Bidi:
		return c.sendBidi(ctx, data)
	default:
		return c.sendUni(ctx, data)
	}
}

func (c *client) sendDatagram(data []byte) error {
	err := c.session.SendDatagram(data)
	var tooLarge *quic.DatagramTooLargeError
	switch {
	case errors.As(err, &tooLarge):
		return fmt.Errorf("%d bytes do not fit into a datagram of %d at most; send them by a stream", len(data), c.session.MaxDatagramSize())
	case err != nil:
		return fmt.Errorf("sending a datagram: %w", err)
	}
	c.sent.datagrams.Add(1)
	c.sent.bytes.Add(uint64(len(data)))
	return nil
}

func (c *client) sendBidi(ctx context.Context, data []byte) error {
	st, err := c.session.OpenStream(ctx)
	if err != nil {
		return fmt.Errorf("opening a stream: %w", err)
	}
	c.answers.Add(1)
	if !c.receiving(func() { defer c.answers.Done(); c.readStream(&st.ReceiveStream, "answer") }) {
		c.answers.Done()
	}
	_, err = st.Write(data) // fails when the session has ended
	if err == nil {
		err = st.Close()
	}
	return c.streamSent(len(data), err)
}

func (c *client) sendUni(ctx context.Context, data []byte) error {
	st, err := c.session.OpenUniStream(ctx)
	if err != nil {
		return fmt.Errorf("opening a stream: %w", err)
	}
	_, err = st.Write(data)
	if err == nil {
		err = st.Close()
	}
	if err == nil {
		select {
		case <-st.Context().Done(): // or the session's end might overtake it
		case <-ctx.Done():
		}
	}
	return c.streamSent(len(data), err)
}

// streamSent counts a stream.
func (c *client) streamSent(n int, err error) error {
	if err != nil {
		return fmt.Errorf("sending a stream: %w", err)
	}
	c.sent.streams.Add(1)
	c.sent.bytes.Add(uint64(n))
	return nil
}

// sendLines sends the lines of the input as they come.
func (c *client) sendLines(ctx context.Context) error {
	lines := bufio.NewScanner(c.opts.Lines)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if err := c.send(ctx, c.opts.LinesAs, lines.Bytes()); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading lines to send: %w", err)
	}
	return nil
}
