package quic

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/quic/congestion"
)

// noise is an endless stream of bytes that depend on its seed.
func noise(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

// echo sends size bytes on a new stream and checks what comes back.
func (e *env) echo(c *Conn, seed byte, size int64) error {
	s, err := c.OpenStream(e.ctx)
	if err != nil {
		return err
	}
	sent := sha256.New()
	failed := make(chan error, 1)
	go func() {
		_, err := io.Copy(s, io.TeeReader(io.LimitReader(noise(seed), size), sent))
		failed <- errors.Join(err, s.Close())
	}()
	got := sha256.New()
	n, err := io.Copy(got, s)
	if err := errors.Join(<-failed, err); err != nil {
		return err
	}
	if n != size || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
		return fmt.Errorf("%d bytes came back of %d, or others", n, size)
	}
	return nil
}

func TestEcho(t *testing.T) {
	for _, gso := range []bool{true, false} {
		for _, size := range []int64{0, 1, 1000, 64 << 10, 1 << 20, 64 << 20} {
			if size > 1<<20 && !gso {
				continue
			}
			t.Run(fmt.Sprintf("gso=%v/%d", gso, size), func(t *testing.T) {
				conf := &TransportConfig{DisableGSO: !gso, DisableGRO: !gso}
				e := newEnvWith(t, nil, nil, setup{serverOn: conf, clientOn: conf})
				e.serveEcho()
				if err := e.echo(e.dial(), 1, size); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func TestEchoNewReno(t *testing.T) {
	e := newEnv(t, &Config{Congestion: congestion.NewReno}, &Config{Congestion: congestion.NewReno})
	e.serveEcho()
	if err := e.echo(e.dial(), 1, 1<<20); err != nil {
		t.Error(err)
	}
}

// Many streams at once, more than the peer allows to be open.
func TestManyStreams(t *testing.T) {
	e := newEnv(t, &Config{MaxIncomingStreams: 40}, nil)
	e.serveEcho()
	c := e.dial()
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if err := e.echo(c, byte(i), int64(1000*i)); err != nil {
				t.Errorf("stream %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}

// Many connections share one socket on either side.
func TestManyConnections(t *testing.T) {
	e := newEnv(t, nil, nil)
	e.serveEcho()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			c, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), e.clientTLS, e.conf)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.CloseWithError(0, "")
			if err := e.echo(c, byte(i), 50_000); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := e.transport.Stats().Dialled; n != 50 {
		t.Errorf("%d connections dialled, want 50", n)
	}
}

func TestUnidirectional(t *testing.T) {
	e := newEnv(t, nil, nil)
	client, server := e.pair()
	out, err := client.OpenUniStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	both := blocking(out.ref)
	if _, err := out.WriteLast([]byte("one way")); err != nil {
		t.Fatal(err)
	}
	in, err := server.AcceptUniStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(in)
	if err != nil || string(got) != "one way" {
		t.Errorf("read %q, %v", got, err)
	}
	if in.ID() != out.ID() {
		t.Errorf("stream %d arrived as %d", out.ID(), in.ID())
	}
	peer := blocking(in.ref)
	if _, err := peer.Write([]byte("x")); err == nil {
		t.Error("a stream that only receives took a Write")
	}
	if _, err := both.Read(make([]byte, 1)); err == nil {
		t.Error("a stream that only sends gave a Read")
	}
	select {
	case <-peer.Context().Done():
	default:
		t.Error("the sending half that does not exist is not closed")
	}
	<-out.Context().Done() // everything is acknowledged
}

// WriteLast of more than the buffer takes waits, and nothing is lost.
func TestWriteLastLarge(t *testing.T) {
	e := newEnv(t, nil, nil)
	client, server := e.pair()
	want := make([]byte, 5<<20)
	noise(9).Read(want)
	out, err := client.OpenUniStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if n, err := out.WriteLast(want); n != len(want) || err != nil {
			t.Errorf("WriteLast: %d, %v", n, err)
		}
	}()
	in, err := server.AcceptUniStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(in)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("read %d bytes, %v; want the %d written", len(got), err, len(want))
	}
}
