package webtransport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/test/memnet"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/test/quicmem"
	"github.com/godwit-quic/godwit/internal/wt"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

var (
	simServer = simAddr("192.0.2.1", 443)
	simClient = simAddr("192.0.2.2", 5000)
)

func simAddr(ip string, port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr(ip), uint16(port))
}

// simWorld is a server and a client in a bubble.
type simWorld struct {
	t        *testing.T
	scenario *simScenario
	seed     uint64
	network  *memnet.Network
	server   *http3.Server
	dialer   *Dialer
	sockets  []*quic.Transport
	served   chan error
	accepted map[string]chan *Session // the server's ends, by path

	working  sync.WaitGroup // sessions that are not about to end
	shutOnce sync.Once
	shut     chan error // of Shutdown
}

// simSessions is how many sessions there are.
const simSessions = 3

func newSimWorld(t *testing.T, s *simScenario, seed uint64) *simWorld {
	w := &simWorld{
		t: t, scenario: s, seed: seed,
		served: make(chan error, 1), accepted: make(map[string]chan *Session), shut: make(chan error, 1),
	}
	w.working.Add(simSessions)
	for i := range max(simSessions, churners) {
		w.accepted[simPath(i)] = make(chan *Session, 1)
	}
	w.network = memnet.New(time.Duration(5+w.rand(2, 0).IntN(40)) * time.Millisecond)
	weather := s.weather
	weather.Seed = seed
	w.network.SetWeather(&weather)
	serverTLS, clientTLS := peertest.TLS(w.t)
	w.serve(serverTLS)
	w.dialer = &Dialer{
		TLSClientConfig: clientTLS,
		QUICConfig:      w.quicConfig(),
		QUICTransport:   w.listen(simClient),
		Config:          w.config(),
		// One connection for all, unless the draft allows it one session.
		ShareConnections: s.drafts == nil || wt.Draft(s.drafts[0]).FlowControl(),
	}
	return w
}

func simPath(i int) string { return fmt.Sprintf("/%d", i) }

// listen returns a transport on a socket of the network.
func (w *simWorld) listen(addr netip.AddrPort) *quic.Transport {
	t := quicmem.NewTransport(w.network.Listen(addr), nil, w.scenario.adjust).(*quic.Transport)
	w.sockets = append(w.sockets, t)
	return t
}

// config returns the limits of either end.
func (w *simWorld) config() *Config {
	if w.scenario.windows == tight {
		return &Config{MaxStreams: 3, MaxData: 20_000, Drafts: w.scenario.drafts}
	}
	return &Config{Drafts: w.scenario.drafts}
}

// quicConfig returns what either end's transport is like. The PING finds a client
// again that has another port and only receives.
func (w *simWorld) quicConfig() *quic.Config {
	conf := &quic.Config{KeepAlivePeriod: time.Second, MaxIdleTimeout: time.Minute}
	if w.scenario.windows == tight {
		conf.InitialStreamWindow, conf.MaxStreamWindow = 4000, 8000
		conf.MaxIncomingStreams, conf.MaxIncomingUniStreams = 8, 8
	}
	return conf
}

// serve starts the server.
func (w *simWorld) serve(conf *tls.Config) {
	w.server = &http3.Server{
		TLSConfig: conf, QUICConfig: w.quicConfig(), Logger: slog.New(slog.DiscardHandler),
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			s, err := Upgrade(rw, r)
			if err != nil {
				w.t.Errorf("Upgrade: %v", err)
				return
			}
			w.accepted[r.URL.Path] <- s
		}),
	}
	limits := w.config()
	limits.IdleTimeout = w.scenario.idle
	Enable(w.server, limits)
	ln, err := w.server.ListenOn(w.listen(simServer))
	if err != nil {
		w.t.Fatal(err)
	}
	go func() { w.served <- w.server.Serve(ln) }()
}

// open opens the sessions, all at once.
func (w *simWorld) open(ctx context.Context) []*simPair {
	pairs := make([]*simPair, simSessions)
	var group sync.WaitGroup
	for i := range pairs {
		group.Go(func() {
			client, _, err := w.dialer.Dial(ctx, "https://"+simServer.String()+simPath(i), nil)
			if err != nil {
				w.t.Errorf("Dial: %v", err)
				return
			}
			pairs[i] = newSimPair(w, uint64(i), client, <-w.accepted[simPath(i)])
		})
	}
	group.Wait()
	if w.t.Failed() {
		w.t.FailNow()
	}
	return pairs
}

// shutDown has the server ask for the end of all sessions, once none works any more.
func (w *simWorld) shutDown(ctx context.Context) {
	w.working.Done()
	w.working.Wait()
	w.shutOnce.Do(func() {
		go func() { w.shut <- w.server.Shutdown(ctx) }()
	})
}

// close ends both ends.
func (w *simWorld) close() {
	_ = w.dialer.Close()
	_ = w.server.Close()
	if err := <-w.served; !errors.Is(err, http.ErrServerClosed) {
		w.t.Errorf("Serve: %v", err)
	}
	for _, s := range w.sockets {
		_ = s.Close()
	}
}

// checkHubs wants nothing to be left of sessions on connections that live.
func (w *simWorld) checkHubs(pairs []*simPair) {
	time.Sleep(2 * wt.CloseTimeout) // until everybody has been told and has answered
	for _, p := range pairs {
		for _, end := range p.ends {
			w.checkHub(end.name, end.session, end.other().session)
		}
	}
}

// checkHub wants nothing to be left of any session on the connection of one that has
// ended.
func (w *simWorld) checkHub(name string, s, other *Session) {
	h, done := s.hub, make(chan struct{})
	check := func(turn event.Turn) {
		defer close(done)
		if left := h.stats(); left != (wt.Stats{}) {
			w.t.Errorf("%s: %+v are left", name, left)
		}
		// A client closes connections that it does not need, as one for a session or
		// after GOAWAY, and what it says of that may get lost (RFC 9000, Section 10.2).
		if n := turn.IncomingStreams(); n > 0 && other.conn.Err() == nil {
			w.t.Errorf("%s: %d streams of the peer's are left", name, n)
		}
	}
	if event.Run(s.conn, check) {
		<-done
	}
}
