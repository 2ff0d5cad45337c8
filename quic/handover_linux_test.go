package quic

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/relay"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// unixPair returns two ends of a stream.
func unixPair(t *testing.T) (a, b *net.UnixConn) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]*net.UnixConn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "pair")
		c, err := net.FileConn(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		ends[i] = c.(*net.UnixConn)
		t.Cleanup(func() { c.Close() })
	}
	return ends[0], ends[1]
}

// generation is a server that echoes, and its end.
type generation struct {
	*Listener
	ended chan error // of Shutdown
}

func newGeneration(t *testing.T, addr string, conf *TransportConfig, big func(*Stream)) *generation {
	t.Helper()
	serverTLS, _ := peertest.TLS(t, "test")
	l, err := conf.Listen(addr, serverTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	g := &generation{l, make(chan error, 1)}
	go func() {
		for {
			c, err := l.Accept(context.Background())
			if err != nil {
				return
			}
			go g.serve(c, big)
		}
	}()
	return g
}

// serve answers each stream with its bytes and its client's address, or one that begins
// with "big" by big.
func (g *generation) serve(c *Conn, big func(*Stream)) {
	for {
		s, err := c.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go func() {
			defer s.Close()
			request, err := io.ReadAll(s)
			if string(request) == "big" {
				big(s)
			} else if err == nil {
				fmt.Fprintf(s, "%s for %v", request, c.RemoteAddr())
			}
		}()
	}
}

// succeed replaces a server by another one.
func (g *generation) succeed(t *testing.T, big func(*Stream)) *generation {
	t.Helper()
	ours, theirs := unixPair(t)
	handed := make(chan error, 1)
	go func() { handed <- g.Transport().HandOver(t.Context(), ours) }()
	next := newGeneration(t, "", &TransportConfig{Predecessor: theirs}, big)
	if err := <-handed; err != nil {
		t.Fatal(err)
	}
	go func() { g.ended <- g.Shutdown(context.Background()) }()
	return next
}

// hearing is a socket that calls hears when it is read again.
type hearing struct {
	loop.Socket
	hears func()
}

func (s *hearing) SetDeaf(deaf bool) error {
	if !deaf && s.hears != nil {
		s.hears()
	}
	return nil
}

// TestSuccessorsLoops: what the first of a successor's loops reads, and hands over to
// another, is asked about, however fast that was.
func TestSuccessorsLoops(t *testing.T) {
	leak.Check(t)
	n, h := memnet.New(0), new(TransportConfig).newHeritage()
	first := &hearing{Socket: n.Listen(memServer)}
	second := &hearing{Socket: n.Listen(netip.AddrPortFrom(memServer.Addr(), memServer.Port()+1))}
	var predecessor []*relay.Link
	for range 2 {
		ours, theirs, err := relay.Pair()
		if err != nil {
			t.Fatal(err)
		}
		link, err := relay.Open(theirs)
		if err != nil {
			t.Fatal(err)
		}
		defer link.Close()
		h.links, predecessor = append(h.links, ours), append(predecessor, link)
	}
	serverTLS, _ := peertest.TLS(t, "test")
	st := startTransport([]loop.Socket{first, second}, new(TransportConfig), h, nil)
	defer st.Close()
	if _, err := st.Listen(serverTLS, nil); err != nil {
		t.Fatal(err)
	}

	packet := make([]byte, 100) // with a short header
	packet[0], packet[1] = 0x40, 1
	to, ok := connid.ShardOf(st.ids, packet, 2)
	if to != 1 || !ok {
		t.Fatalf("the packet is for loop %d", to)
	}
	first.hears = func() { st.workers[1].Asked(engine.Datagram{Data: packet, Path: path.Addrs{Remote: memClient}}) }
	if err := st.succeed(); err != nil {
		t.Fatal(err)
	}
	if err := st.onLoops(func(int, *worker) error { return nil }); err != nil { // that is over
		t.Fatal(err)
	}
	if s := st.Stats(); s.ResetsSent != 0 {
		t.Fatalf("%d stateless resets to a client of the predecessor's", s.ResetsSent)
	}
	passed := make(chan []byte, 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		predecessor[1].Run(func(d engine.Datagram) { passed <- d.Data })
	}()
	if got := <-passed; !bytes.Equal(got, packet) {
		t.Errorf("the predecessor gets %x", got)
	}
	predecessor[1].Close()
	<-ended
}

// ask exchanges a few bytes on a connection.
func ask(ctx context.Context, c *Conn, request string) (string, error) {
	s, err := c.OpenStream(ctx)
	if err != nil {
		return "", err
	}
	if _, err := io.WriteString(s, request); err != nil {
		return "", err
	}
	s.Close()
	answer, err := io.ReadAll(s)
	return string(answer), err
}

// TestRestarts replaces a server five times while clients come, stay and go, and one loads
// down something big from the first: nothing fails, and every server sees its clients' own
// addresses.
func TestRestarts(t *testing.T) {
	for _, loops := range []int{1, 3} {
		t.Run(fmt.Sprint(loops, " loops"), func(t *testing.T) { testRestarts(t, loops) })
	}
}

func testRestarts(t *testing.T, loops int) {
	leak.Check(t)
	const restarts, part = 5, 8 << 20
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	content := peertest.Content(part)
	goOn := make(chan struct{})
	big := func(s *Stream) {
		for range restarts + 1 {
			if _, err := s.Write(content); err != nil {
				return
			}
			<-goOn
		}
	}
	server := newGeneration(t, "127.0.0.1:0", &TransportConfig{Loops: loops}, big)
	addr, key := server.Addr().String(), server.Transport().heritage.ResetKeys[0]
	_, clientTLS := peertest.TLS(t, "test")
	client, err := NewTransport("127.0.0.1:0", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()

	stay, err := client.Dial(ctx, addr, clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := stay.OpenStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(s, "big")
	s.Close()

	var load sync.WaitGroup
	var answers atomic.Int64
	over := make(chan struct{})
	for n := range 4 {
		load.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				if err := comeAndGo(ctx, client, addr, clientTLS, n); err != nil {
					t.Errorf("client %d: %v", n, err)
					return
				}
				answers.Add(1)
			}
		})
	}

	sum := sha256.New()
	var old []*generation
	for i := range restarts + 1 {
		if n, err := io.CopyN(sum, s, part); err != nil {
			t.Fatalf("after %d restarts: %d bytes, %v", i, n, err)
		}
		if want := "still here for " + client.LocalAddr().String(); i > 0 {
			if got, err := ask(ctx, stay, "still here"); got != want || err != nil {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		}
		if i < restarts {
			old = append(old, server)
			server = server.succeed(t, big)
			if server.Transport().heritage.ResetKeys[0] != key || server.Addr().String() != addr || len(server.Transport().workers) != loops {
				t.Error("the successor is another server")
			}
			before := answers.Load()
			for answers.Load() < before+20 && !t.Failed() {
				if got, err := ask(ctx, stay, "meanwhile"); err != nil {
					t.Fatal(got, err)
				}
			}
		}
		goOn <- struct{}{}
	}
	if n, err := io.Copy(io.Discard, s); n != 0 || err != nil {
		t.Errorf("%d bytes too many, %v", n, err)
	}
	want := sha256.New()
	for range restarts + 1 {
		want.Write(content)
	}
	if !bytes.Equal(sum.Sum(nil), want.Sum(nil)) {
		t.Error("the content is another one")
	}
	close(over)
	load.Wait()
	stay.CloseWithError(0, "")
	for i, g := range old {
		if err := <-g.ended; err != nil {
			t.Errorf("server %d: %v", i, err)
		}
	}
	server.Close()
	<-server.Transport().workers[0].Done()
}

// comeAndGo connects, asks something twice, and closes.
func comeAndGo(ctx context.Context, tr *Transport, addr string, conf *tls.Config, n int) error {
	c, err := tr.Dial(ctx, addr, conf, nil)
	if err != nil {
		return err
	}
	defer c.CloseWithError(0, "")
	for range 2 {
		got, err := ask(ctx, c, fmt.Sprint("client ", n))
		if err != nil {
			return err
		}
		if want := fmt.Sprintf("client %d for %v", n, tr.LocalAddr()); got != want {
			return fmt.Errorf("got %q, want %q", got, want)
		}
	}
	return nil
}

// TestHandOverFails: a successor that does not come, or says nonsense, changes nothing, and
// one that ends at once gives back what it has.
func TestHandOverFails(t *testing.T) {
	leak.Check(t)
	server := newGeneration(t, "127.0.0.1:0", nil, nil)
	defer server.Transport().Close()
	_, clientTLS := peertest.TLS(t, "test")
	check := func(what string) {
		t.Helper()
		c, err := Dial(t.Context(), server.Addr().String(), clientTLS, nil)
		if err != nil {
			t.Fatalf("after %s: %v", what, err)
		}
		defer c.CloseWithError(0, "")
		if _, err := ask(t.Context(), c, what); err != nil {
			t.Errorf("after %s: %v", what, err)
		}
	}

	ours, _ := unixPair(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("no patience")
	cancel(why)
	if err := server.Transport().HandOver(ctx, ours); !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
	check("a wait that ended")

	ours, theirs := unixPair(t)
	theirs.Write([]byte("nonsense"))
	if err := server.Transport().HandOver(t.Context(), ours); err == nil || !strings.Contains(err.Error(), "'n'") {
		t.Errorf("%v", err)
	}
	check("nonsense")

	ours, theirs = unixPair(t)
	theirs.Close()
	if err := server.Transport().HandOver(t.Context(), ours); err == nil {
		t.Error("handed over to nobody")
	}
	if _, err := new(TransportConfig).Listen("", nil, nil); err == nil {
		t.Error("listens without TLS")
	}
	check("nobody")

	ours, theirs = unixPair(t)
	handed := make(chan error, 1)
	go func() { handed <- server.Transport().HandOver(t.Context(), ours) }()
	next := newGeneration(t, "", &TransportConfig{Predecessor: theirs}, nil)
	if err := <-handed; err != nil {
		t.Fatal(err)
	}
	check("a successor that came")
	next.Transport().Close()
	check("a successor that went")

	ours, theirs = unixPair(t)
	ours.Write([]byte("\x00\x00\x00\x02{}"))
	serverTLS, _ := peertest.TLS(t, "test")
	if l, err := (&TransportConfig{Predecessor: theirs}).Listen("", serverTLS, nil); err == nil {
		l.Close()
		t.Error("succeeds nobody")
	}
}
