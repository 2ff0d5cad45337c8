package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/pflag"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/client"
	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// defaultWait is for how long nothing may have come before datagrams are given up:
// longer than any round trip.
const defaultWait = seconds(2 * time.Second)

// Flags that mean nothing with --datagram, and those that mean nothing without.
var (
	notWithDatagram = []string{"http1.1", "http2", "http3", "request", "data", "data-raw", "data-binary", "data-urlencode", "json", "form", "form-string",
		"upload-file", "head", "location", "limit-rate", "parallel", "repeat", "retry", "range", "continue-at", "compressed"}
	onlyWithDatagram = []string{"protocol", "wait"}
)

// checkDatagrams refuses what does not go together with --datagram.
func (o *getOptions) checkDatagrams(flags *pflag.FlagSet, urls []string) error {
	if !flags.Changed("datagram") {
		for _, flag := range onlyWithDatagram {
			if flags.Changed(flag) {
				return fmt.Errorf("--%s is for --datagram", flag)
			}
		}
		return nil
	}
	for _, flag := range notWithDatagram {
		if flags.Changed(flag) {
			return fmt.Errorf("--datagram is for one CONNECT request without content, over HTTP/3: not with --%s", flag)
		}
	}
	switch {
	case len(urls) > 1:
		return fmt.Errorf("--datagram is for one URL, not %d", len(urls))
	case o.protocol == "":
		return errors.New("--protocol must not be empty")
	}
	return nil
}

// datagramTransport sends the texts of --datagram as HTTP datagrams (RFC 9297) of
// extended CONNECT requests (RFC 9220). The content of a response is what comes back.
type datagramTransport struct {
	*client.Transport
	texts []string
	wait  time.Duration
}

// datagramsOver returns what sends the requests: datagrams, if there are any.
func (o *getOptions) datagramsOver(t *client.Transport) http.RoundTripper {
	if len(o.datagrams) == 0 {
		return t
	}
	return datagramTransport{t, o.datagrams, time.Duration(o.wait)}
}

// RoundTrip opens a tunnel and sends the datagrams.
func (t datagramTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	tunnel, resp, err := t.HTTP3.Connect(req.Context(), req)
	switch {
	case errors.Is(err, http3.ErrNoExtendedConnect):
		return nil, fmt.Errorf("%w (it speaks HTTP/3; godwit get without --datagram works)", err)
	case err != nil:
		return nil, err
	case tunnel == nil:
		body := resp.Body
		context.AfterFunc(req.Context(), func() { _ = body.Close() }) // or it could be read for ever
		return resp, nil
	}
	// Whatever the server sends by the stream is in the protocol's own format, if not
	// the end. It is read so that the end is noticed.
	go func() { _, _ = io.Copy(io.Discard, tunnel) }()
	for _, text := range t.texts {
		if err := sendDatagram(tunnel, []byte(text)); err != nil {
			tunnel.Abort(http3.ErrCodeRequestCancelled)
			return nil, err
		}
	}
	resp.ContentLength = -1
	resp.Body = &datagramLines{ctx: req.Context(), tunnel: tunnel, wait: t.wait, sent: len(t.texts)}
	return resp, nil
}

func sendDatagram(tunnel *http3.Tunnel, p []byte) error {
	err := tunnel.SendDatagram(p)
	switch tooLarge := (*quic.DatagramTooLargeError)(nil); {
	case errors.Is(err, quic.ErrDatagramsDisabled):
		return errors.New("the server takes no datagrams, though it has accepted the request")
	case errors.As(err, &tooLarge):
		return fmt.Errorf("%d bytes do not fit into a datagram of %d at most", len(p), tunnel.MaxDatagramSize())
	case err != nil:
		return fmt.Errorf("sending a datagram: %w", err)
	}
	return nil
}

// datagramLines reads as many datagrams as were sent, each as a line.
type datagramLines struct {
	ctx        context.Context
	tunnel     *http3.Tunnel
	wait       time.Duration // for the next one
	sent, back int
	rest       []byte // of the line, not read yet
}

func (d *datagramLines) Read(p []byte) (int, error) {
	if len(d.rest) == 0 && d.back == d.sent {
		return 0, io.EOF
	}
	if len(d.rest) == 0 {
		line, err := d.next()
		if err != nil {
			return 0, fmt.Errorf("%d of %d datagrams did not come back: %w", d.sent-d.back, d.sent, err)
		}
		d.back++
		d.rest = append(line, '\n')
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// next waits for a datagram.
func (d *datagramLines) next() ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(d.ctx, d.wait, fmt.Errorf("nothing has come for %v", d.wait))
	defer cancel()
	return d.tunnel.ReceiveDatagram(ctx)
}

// Close ends the tunnel.
func (d *datagramLines) Close() error { return d.tunnel.Close() }
