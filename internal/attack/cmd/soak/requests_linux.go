package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"time"
)

// send sends a request and returns the response to it, which is one with status 200.
func (c *client) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "https://"+c.addr+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // as much as there is
		resp.Body.Close()
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return resp, nil
}

// hello is a small request on a connection that stays.
func hello(ctx context.Context, l *load, c *client) error {
	start := time.Now()
	resp, err := c.send(ctx, http.MethodGet, "/hello", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	l.report.answered(time.Since(start))
	return nil
}

// newClient is a small request on a connection of its own, from somewhere.
func newClient(ctx context.Context, l *load, _ *client) error {
	c, err := newClientAt(l.addr, somewhere().String())
	if err != nil {
		return err
	}
	defer c.close()
	return hello(ctx, l, c)
}

// somewhere is an address of loopback.
func somewhere() net.IP { return net.IPv4(127, 0, 4, byte(rand.IntN(250)+1)) }

// download gets content of any size, and compares it.
func download(ctx context.Context, l *load, c *client) error {
	return l.get(ctx, c, size(maxSize), 0, nil)
}

// get gets n bytes and compares them, no faster than so many bytes a second if rate is
// not 0. It calls halfway, if set, in the middle.
func (l *load) get(ctx context.Context, c *client, n, rate int, halfway func() error) error {
	resp, err := c.send(ctx, http.MethodGet, fmt.Sprintf("/bytes/%d", n), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	const piece = 32 << 10
	buf := make([]byte, piece)
	start := time.Now()
	for at := 0; ; {
		m, err := resp.Body.Read(buf)
		for got := buf[:m]; len(got) > 0; {
			want := l.block[at%blockSize:]
			step := min(len(want), len(got))
			if !bytes.Equal(want[:step], got[:step]) {
				return fmt.Errorf("the content of /bytes/%d differs after %d bytes", n, at)
			}
			got, at = got[step:], at+step
		}
		switch {
		case err == io.EOF && at == n:
			return nil
		case err != nil:
			return fmt.Errorf("after %d of %d bytes: %w", at, n, err)
		}
		if halfway != nil && at > n/2 {
			if err := halfway(); err != nil {
				return err
			}
			halfway = nil
		}
		if rate > 0 {
			sleep(ctx, time.Until(start.Add(time.Duration(at)*time.Second/time.Duration(rate))))
		}
	}
}

// readSlowly gets more than any window holds, slowly.
func readSlowly(ctx context.Context, l *load, c *client) error {
	return l.get(ctx, c, 2<<20, 80_000, nil)
}

// noise is what uploads consist of.
var noise = func() []byte {
	b := make([]byte, maxSize)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b) // never fails
	return b
}()

// upload sends content of any size, and compares its hash.
func upload(ctx context.Context, _ *load, c *client) error { return c.post(ctx, size(maxSize)) }

func (c *client) post(ctx context.Context, n int) error {
	resp, err := c.send(ctx, http.MethodPost, "/digest", bytes.NewReader(noise[:n]))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var got struct {
		Bytes  int
		SHA256 string
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil {
		return err
	}
	if want := fmt.Sprintf("%x", sha256.Sum256(noise[:n])); got.Bytes != n || got.SHA256 != want {
		return fmt.Errorf("%d bytes with hash %s arrived of %d with hash %s", got.Bytes, got.SHA256, n, want)
	}
	return nil
}

// talk sends pieces, each when the one before has come back.
func talk(ctx context.Context, _ *load, c *client) error {
	body, w := io.Pipe()
	defer w.Close()
	resp, err := c.send(ctx, http.MethodPost, "/echo", body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for i := range 20 {
		if err := echo(w, resp.Body, noise[i:][:1+size(100_000)]); err != nil {
			return fmt.Errorf("piece %d: %w", i, err)
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	_ = w.Close() // never fails
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// echo writes a message and reads it again.
func echo(w io.Writer, r io.Reader, message []byte) error {
	written := make(chan error, 1)
	go func() {
		_, err := w.Write(message)
		written <- err
	}()
	got := make([]byte, len(message))
	_, err := io.ReadFull(r, got)
	if err != nil {
		return err // and the writer ends with the stream
	}
	if err := <-written; err != nil {
		return err
	}
	if !bytes.Equal(got, message) {
		return fmt.Errorf("%d bytes came back, but others", len(got))
	}
	return nil
}

// errEnough is why a client gives up.
var errEnough = errors.New("the client has changed its mind")

// cancelled gives up in the middle of a download or an upload.
func cancelled(ctx context.Context, l *load, c *client) error {
	own, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, func() { cancel(errEnough) })
	var err error
	if rand.IntN(2) == 0 {
		err = l.get(own, c, maxSize, 0, nil)
	} else {
		err = c.post(own, maxSize)
	}
	if context.Cause(own) == errEnough {
		return nil // whatever came of it
	}
	return err
}
