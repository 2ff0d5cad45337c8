package interop

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"testing"

	quicgo "github.com/quic-go/quic-go"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// TestQuicGoClient has quic-go's client talk to our server.
func TestQuicGoClient(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, echoALPN)
	ln, err := quic.Listen("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	served := make(chan *quic.Conn, 1)
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		served <- conn
		go func() {
			for {
				in, err := conn.AcceptUniStream(ctx)
				if err != nil {
					return
				}
				go func() {
					out, err := conn.OpenUniStream(ctx)
					if err != nil {
						return
					}
					_, _ = io.Copy(out, in)
					_ = out.Close()
				}()
			}
		}()
		for {
			s, err := conn.AcceptStream(ctx)
			if err != nil {
				return
			}
			go echo(s)
		}
	}()

	conn, err := quicgo.DialAddr(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range sizes {
		s, err := conn.OpenStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		peertest.EchoThrough(t, s, peertest.Content(n))
	}
	t.Run("uni", func(t *testing.T) {
		out, err := conn.OpenUniStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		data := peertest.Content(1 << 20)
		go func() { _, _ = out.Write(data); _ = out.Close() }()
		in, err := conn.AcceptUniStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(in); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("got %d bytes, %v; want %d", len(got), err, len(data))
		}
	})
	t.Run("parallel", func(t *testing.T) {
		var wg sync.WaitGroup
		for i := range 150 { // more than the limit of 100 at once
			s, err := conn.OpenStreamSync(ctx)
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { peertest.EchoThrough(t, s, peertest.Content(1000+i)) })
		}
		wg.Wait()
	})
	if err := conn.CloseWithError(42, "enough"); err != nil {
		t.Fatal(err)
	}
	c := <-served
	<-c.Done()
	var app *quic.ApplicationError
	if !errors.As(c.Err(), &app) || app.Code != 42 || app.Reason != "enough" || !app.Remote {
		t.Errorf("our connection ended with %v, want the peer's code 42", c.Err())
	}
}

// TestQuicGoServer has our client talk to quic-go's server.
func TestQuicGoServer(t *testing.T) {
	ctx := timeout(t)
	serverTLS, clientTLS := peertest.TLS(t, echoALPN)
	ln, err := quicgo.ListenAddr("127.0.0.1:0", serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ended := make(chan error, 1)
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		for {
			s, err := conn.AcceptStream(ctx)
			if err != nil {
				ended <- err
				return
			}
			go echo(s)
		}
	}()
	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range sizes {
		s, err := conn.OpenStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		peertest.EchoThrough(t, s, peertest.Content(n))
	}
	var wg sync.WaitGroup
	for i := range 150 {
		s, err := conn.OpenStream(ctx)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() { peertest.EchoThrough(t, s, peertest.Content(1000+i)) })
	}
	wg.Wait()
	if err := conn.CloseWithError(43, "enough"); err != nil {
		t.Fatal(err)
	}
	var app *quicgo.ApplicationError
	if err := <-ended; !errors.As(err, &app) || app.ErrorCode != 43 || app.ErrorMessage != "enough" {
		t.Errorf("quic-go's connection ended with %v, want code 43", err)
	}
}
