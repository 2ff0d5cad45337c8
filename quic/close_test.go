package quic

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
)

// What was written before a close arrives, and the peer learns of the close.
func TestCloseAfterWrite(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		s, err := client.OpenUniStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		client.CloseWithError(7, "bye")
		in, err := server.AcceptUniStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if string(got) != "last words" {
			t.Errorf("got %q", got)
		}
		if app := wantError[*ApplicationError](t, "reading on", err); *app != (ApplicationError{7, "bye", true}) {
			t.Errorf("reading on: %+v", app)
		}
	})
}

// When CloseWithError returns, CONNECTION_CLOSE has left and everything fails that
// uses the connection.
func TestCloseWaits(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		var sent atomic.Int32
		e.network.Drop(func(from, _ netip.AddrPort, _ []byte) bool {
			if from == memClient {
				sent.Add(1)
			}
			return false
		})
		client.CloseWithError(7, "bye")
		if sent.Load() == 0 {
			t.Error("nothing has left")
		}
		if _, err := cs.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
		if _, err := client.OpenStream(e.ctx); !errors.Is(err, net.ErrClosed) {
			t.Errorf("OpenStream: %v", err)
		}
		<-server.Done()
		if errors.Is(server.Err(), net.ErrClosed) {
			t.Error("that the peer closed is not net.ErrClosed")
		}
		client.CloseWithError(8, "again")
	})
}

// What was written has left when Flush returns.
func TestFlush(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *Conn) {
		cs, _ := e.streams(client, server)
		var sent atomic.Int32
		e.network.Drop(func(from, _ netip.AddrPort, b []byte) bool {
			if from == memClient && len(b) > 1000 {
				sent.Add(1)
			}
			return false
		})
		if _, err := cs.Write(make([]byte, 1100)); err != nil {
			t.Fatal(err)
		}
		client.Flush()
		if sent.Load() == 0 {
			t.Error("nothing has left")
		}
		client.CloseWithError(0, "")
		client.Flush()
	})
}

// Errors of what this side has closed are net.ErrClosed, as in package net.
func TestClosedErrors(t *testing.T) {
	for _, err := range []error{ErrClosed, ErrWriteClosed, &ApplicationError{}} {
		if !errors.Is(err, net.ErrClosed) {
			t.Errorf("%v is not net.ErrClosed", err)
		}
	}
	for _, err := range []error{&ApplicationError{Remote: true}, &TransportError{}, ErrStatelessReset} {
		if errors.Is(err, net.ErrClosed) {
			t.Errorf("%v is net.ErrClosed", err)
		}
	}
}

// closeHelper names what another process does, to be run by TestMain's process again.
const closeHelper = "GODWIT_QUIC_TEST_CLOSE"

// TestCloseHelper is not a test but the other process of TestCloseThenExit.
func TestCloseHelper(t *testing.T) {
	how, addr, ok := strings.Cut(os.Getenv(closeHelper), " ")
	if !ok {
		return
	}
	conf := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"test"}}
	var c *Conn
	switch how {
	case "dial":
		var err error
		if c, err = Dial(context.Background(), addr, conf, nil); err != nil {
			t.Fatal(err)
		}
		if _, err := c.AcceptUniStream(context.Background()); err != nil { // the server has accepted it
			t.Fatal(err)
		}
	case "listen":
		server, _ := peertest.TLS(t, "test")
		l, err := Listen(addr, server, nil)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println("listening", l.Addr())
		if c, err = l.Accept(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	c.CloseWithError(7, "bye")
	os.Exit(0)
}

// A program that closes and exits at once has told its peer.
func TestCloseThenExit(t *testing.T) {
	helper := func(how string) (out *bufio.Reader, wait func()) {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCloseHelper$")
		cmd.Env = append(os.Environ(), closeHelper+"="+how)
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(pipe), func() { cmd.Wait() }
	}
	check := func(c *Conn) {
		t.Helper()
		<-c.Done()
		if app := wantError[*ApplicationError](t, "Err", c.Err()); *app != (ApplicationError{7, "bye", true}) {
			t.Errorf("Err: %+v", app)
		}
	}
	e := newEnv(t, nil, nil)
	_, wait := helper("dial " + e.listener.Addr().String())
	c, err := e.listener.Accept(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.OpenUniStream(e.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("accepted")); err != nil {
		t.Fatal(err)
	}
	check(c)
	wait()

	out, wait := helper("listen 127.0.0.1:0")
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	conf := e.clientTLS.Clone()
	conf.InsecureSkipVerify = true
	c, err = e.transport.Dial(e.ctx, strings.TrimSpace(strings.TrimPrefix(line, "listening ")), conf, nil)
	if err != nil {
		t.Fatal(err)
	}
	check(c)
	wait()
}

// A listener that is closed refuses the handshakes under way, whether their clients
// have given up or not, and its address is free at once.
func TestCloseDuringHandshake(t *testing.T) {
	for _, gaveUp := range []bool{false, true} {
		e, g := newGatedEnv(t, serverCallbacks[0])
		g.shut.Store(true)
		ctx, cancel := context.WithCancel(e.ctx)
		dialled := make(chan error, 1)
		go func() {
			_, err := e.transport.Dial(ctx, e.listener.Addr().String(), e.clientTLS, nil)
			dialled <- err
		}()
		<-g.entered
		if gaveUp {
			cancel()
			<-dialled
		}
		addr := e.listener.Addr().String()
		e.listener.Close()
		if !gaveUp {
			if refused := wantError[*TransportError](t, "Dial", <-dialled); !refused.Remote || wire.ErrorCode(refused.Code) != wire.ConnectionRefused {
				t.Errorf("Dial: %v", refused)
			}
		}
		server, _ := peertest.TLS(t, "test")
		again, err := Listen(addr, server, nil)
		if err != nil {
			t.Fatalf("the client gave up: %v: %v", gaveUp, err)
		}
		again.Close()
		cancel()
		close(g.open)
	}
}

// A listener that is closed when its connections have ended leaves its address free,
// also if it was closed before.
func TestCloseFreesAddress(t *testing.T) {
	for _, early := range []bool{false, true} {
		e := newEnv(t, nil, nil)
		_, server := e.pair()
		if early {
			e.listener.Close()
		}
		server.CloseWithError(0, "")
		e.listener.Close()
		conf, _ := peertest.TLS(t, "test")
		again, err := Listen(e.listener.Addr().String(), conf, nil)
		if err != nil {
			t.Fatalf("closed before: %v: %v", early, err)
		}
		again.Close()
	}
}
