package loop_test

import (
	"crypto/tls"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/loop"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/memnet"
)

var (
	serverAddr = netip.MustParseAddrPort("192.0.2.1:443")
	clientAddr = netip.MustParseAddrPort("192.0.2.2:5000")
)

// recorder is a Handler that writes down what it is told.
type recorder struct {
	mu     sync.Mutex
	calls  []string
	err    error
	conn   *loop.Conn
	onCall func(call string, s *engine.Stream) // on the loop's goroutine
}

func (r *recorder) note(call string, s *engine.Stream) {
	r.mu.Lock()
	r.calls = append(r.calls, call)
	r.mu.Unlock()
	if r.onCall != nil {
		r.onCall(call, s)
	}
}

func (r *recorder) HandleEarly()                         { r.note("early", nil) }
func (r *recorder) HandleHandshakeComplete()             { r.note("complete", nil) }
func (r *recorder) HandleStreamOpened(s *engine.Stream)  { r.note("opened", s) }
func (r *recorder) HandleReadable(s *engine.Stream)      { r.note("readable", s) }
func (r *recorder) HandleWritable(s *engine.Stream)      { r.note("writable", s) }
func (r *recorder) HandleSent(s *engine.Stream)          { r.note("sent", s) }
func (r *recorder) HandleStreamEnded(s *engine.Stream)   { r.note("ended", s) }
func (r *recorder) HandleStreamSettled(s *engine.Stream) { r.note("settled", s) }
func (r *recorder) HandleStreamsAvailable()              { r.note("streams", nil) }
func (r *recorder) HandleDatagrams([][]byte)             { r.note("datagrams", nil) }
func (r *recorder) HandlePathChanged()                   { r.note("path", nil) }
func (r *recorder) HandlePaths()                         { r.note("paths", nil) }
func (r *recorder) HandleSilent()                        { r.note("silent", nil) }
func (r *recorder) HandleReleased()                      { r.note("released", nil) }
func (r *recorder) HandleUnreachable(err error)          { r.note("unreachable", nil) }
func (r *recorder) Woke() bool                           { return true }
func (r *recorder) HandleClosed(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	r.note("closed", nil)
}

// saw returns how often a call was made, and the error of "closed".
func (r *recorder) saw(call string) (n int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c == call {
			n++
		}
	}
	return n, r.err
}

// pair is a client's loop and a server's, with one connection between them
// once dial has returned.
type pair struct {
	t                        *testing.T
	network                  *memnet.Network
	clientSocket             *memnet.Socket
	clientLoop, serverLoop   *loop.Loop
	client, server           *recorder
	clientConfig, serverConf *engine.Config
}

// resetKey is the server's for stateless resets.
var resetKey = [32]byte{4}

// newPair starts both loops. To be called in a bubble.
func newPair(t *testing.T, config engine.Config) *pair {
	config.MaxBidiStreams, config.MaxUniStreams = 100, 100
	p := &pair{
		t:            t,
		network:      memnet.New(10 * time.Millisecond),
		client:       &recorder{},
		server:       &recorder{},
		clientConfig: config.WithDefaults(),
		serverConf:   config.WithDefaults(),
	}
	p.clientSocket = p.network.Listen(clientAddr)
	p.clientLoop = loop.Start(p.clientSocket, loop.Config{Endpoint: engine.EndpointConfig{Seed: [32]byte{1}}})
	p.serverLoop = loop.Start(p.network.Listen(serverAddr), loop.Config{
		Endpoint: engine.EndpointConfig{Seed: [32]byte{2}, ResetKeys: [][32]byte{resetKey}},
		Accept: func(c *loop.Conn) loop.Handler {
			p.server.conn = c
			return p.server
		},
	})
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	server, err := handshake.NewServer(&tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"test"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.serverLoop.Do(func() {
		p.serverLoop.SetServer(&engine.Server{Config: p.serverConf, NewTLS: func() engine.TLS { return server.NewConn() }})
	})
	return p
}

// dial starts the connection from the client's side.
func (p *pair) dial() {
	tls, err := handshake.NewClient(&tls.Config{InsecureSkipVerify: true, NextProtos: []string{"test"}}, "test", false)
	if err != nil {
		p.t.Fatal(err)
	}
	h := p.client
	p.clientLoop.Do(func() {
		h.conn, _ = p.clientLoop.Dial(path.Addrs{Remote: serverAddr}, p.clientConfig, tls, h)
	})
}

func (p *pair) close() {
	p.clientLoop.Close()
	p.serverLoop.Close()
	for side, l := range map[string]*loop.Loop{"client": p.clientLoop, "server": p.serverLoop} {
		if s := l.Stats(); s.Overdue != 0 || s.Conns != 0 {
			p.t.Errorf("%s: %d deadlines were overdue after they had been handled, %d connections left", side, s.Overdue, s.Conns)
		}
	}
}
