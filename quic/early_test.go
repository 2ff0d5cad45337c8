package quic

import (
	"context"
	"crypto/tls"
	"io"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/quic/quictrace"
)

// packetTypes notes of what types the packets are that connections send.
type packetTypes struct {
	mu   sync.Mutex
	sent []quictrace.PacketType
}

func (p *packetTypes) tracer(quictrace.Info) quictrace.Tracer { return p }

// Trace implements quictrace.Tracer.
func (p *packetTypes) Trace(_ time.Duration, e quictrace.Event) {
	if e, ok := e.(*quictrace.PacketSent); ok {
		p.mu.Lock()
		p.sent = append(p.sent, e.Type)
		p.mu.Unlock()
	}
}

// take returns the types noted, and forgets them.
func (p *packetTypes) take() []quictrace.PacketType {
	p.mu.Lock()
	defer p.mu.Unlock()
	sent := p.sent
	p.sent = nil
	return sent
}

// unsureGuard is a guard that has seen everything.
type unsureGuard struct{}

func (unsureGuard) FirstUse([16]byte, time.Time, time.Time) bool { return false }

// replayed is a session cache that gives the same session as often as it is asked.
type replayed struct {
	mu      sync.Mutex
	session *tls.ClientSessionState
}

func (r *replayed) Get(string) (*tls.ClientSessionState, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.session, r.session != nil
}

func (r *replayed) Put(_ string, s *tls.ClientSessionState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.session == nil {
		r.session = s
	}
}

// earlyEnv is a server and clients that send early data.
type earlyEnv struct {
	*env
	packets *packetTypes
}

// earlyBubble runs f in a bubble with such an environment, in which a client has been at
// the server once.
func earlyBubble(t *testing.T, server, client Config, s setup, f func(t *testing.T, e *earlyEnv)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		packets := new(packetTypes)
		client.Allow0RTT, client.Tracer = true, packets.tracer
		e, end := newMemEnvWith(t, &server, &client, s)
		defer end()
		e.clientTLS.ClientSessionCache = tls.NewLRUClientSessionCache(4)
		e.visit()
		packets.take()
		f(t, &earlyEnv{e, packets})
	})
}

// visit makes a connection, and waits until it has brought a session.
func (e *env) visit() {
	e.t.Helper()
	c := e.dial()
	if s := e.accept(); s.ConnectionState().HandshakeComplete != true {
		e.t.Error("the first connection is early")
	}
	synctest.Wait()
	time.Sleep(50 * time.Millisecond) // for the ticket, in virtual time
	c.CloseWithError(0, "")
	time.Sleep(50 * time.Millisecond)
}

func (e *env) accept() *Conn {
	e.t.Helper()
	c, err := e.listener.Accept(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	return c
}

// ask sends a question on a new stream and returns the answer, and how long it took.
func (e *env) ask(c *Conn, question string) (string, time.Duration) {
	e.t.Helper()
	start := time.Now()
	s, err := c.OpenStream(e.ctx)
	if err != nil {
		e.t.Fatal(err)
	}
	if _, err := s.Write([]byte(question)); err != nil {
		e.t.Fatal(err)
	}
	s.Close()
	b, err := io.ReadAll(s)
	if err != nil {
		e.t.Fatal(err)
	}
	return string(b), time.Since(start)
}

// answer answers the questions on a server's connection.
func (e *env) answer(c *Conn) {
	go func() {
		for {
			s, err := c.AcceptStream(e.ctx)
			if err != nil {
				return
			}
			b, _ := io.ReadAll(s)
			s.Write(append([]byte("answer to "), b...))
			s.Close()
		}
	}()
}

// memRoundTrip is that of the network in memory.
const memRoundTrip = 10 * time.Millisecond

func TestEarlyData(t *testing.T) {
	earlyBubble(t, Config{Allow0RTT: true}, Config{}, setup{}, func(t *testing.T, e *earlyEnv) {
		for range 2 { // the second time with the ticket of the first
			c := e.dial()
			if c.ConnectionState().HandshakeComplete {
				t.Fatal("Dial has waited for the handshake")
			}
			go func() {
				s := e.accept()
				if s.ConnectionState().HandshakeComplete {
					t.Error("Accept has waited for the handshake")
				}
				e.answer(s)
				if early, err := s.AwaitHandshake(e.ctx); !early || err != nil || !s.ConnectionState().HandshakeComplete {
					t.Errorf("the server's AwaitHandshake: %v, %v", early, err)
				}
			}()
			answer, took := e.ask(c, "question")
			if answer != "answer to question" || took < memRoundTrip || took > memRoundTrip*3/2 {
				t.Errorf("%q after %v, want one round trip", answer, took)
			}
			if early, err := c.AwaitHandshake(e.ctx); !early || err != nil {
				t.Errorf("the client's AwaitHandshake: %v, %v", early, err)
			}
			if sent := e.packets.take(); !slices.Contains(sent, quictrace.ZeroRTT) || sent[0] != quictrace.Initial {
				t.Errorf("sent %v", sent)
			}
			if !c.ConnectionState().DidResume {
				t.Error("no session was resumed")
			}
			time.Sleep(memRoundTrip * 2) // for the next ticket
			c.CloseWithError(0, "")
			time.Sleep(memRoundTrip * 2)
			e.packets.take()
		}
	})
}

// Of a host with several addresses the first may be dead: early data goes to the one where
// the session is from, and the session is not used up at another.
func TestEarlyDeadAddress(t *testing.T) {
	dead := netip.MustParseAddr("127.0.0.9")
	earlyBubble(t, Config{Allow0RTT: true}, Config{}, setup{}, func(t *testing.T, e *earlyEnv) {
		dial := func(addrs ...netip.Addr) *Conn {
			e.conf.LookupHost = func(context.Context, string) ([]netip.Addr, error) { return addrs, nil }
			start := time.Now()
			c, err := e.transport.Dial(e.ctx, "host.test:443", e.clientTLS, e.conf)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > loopbackDelay+memRoundTrip {
				t.Errorf("Dial took %v", took)
			}
			go func() { e.answer(e.accept()) }()
			if answer, took := e.ask(c, "question"); answer != "answer to question" || took > memRoundTrip*3/2 {
				t.Errorf("%q after %v", answer, took)
			}
			return c
		}
		c := dial(memServer.Addr())
		time.Sleep(2 * memRoundTrip)
		c.CloseWithError(0, "") // its session is for this host
		c = dial(dead, memServer.Addr())
		if early, err := c.AwaitHandshake(e.ctx); !early || err != nil {
			t.Errorf("the address of the session: early data was accepted: %v, %v", early, err)
		}
		time.Sleep(2 * memRoundTrip) // for the next ticket
		c.CloseWithError(0, "")
		e.network.Rebind(memServer, netip.AddrPortFrom(dead, memServer.Port()))
		c = dial(dead, memServer.Addr())
		if early, err := c.AwaitHandshake(e.ctx); early || err != nil || !c.ConnectionState().DidResume {
			t.Errorf("another address: early data was accepted: %v, %v; resumed: %v", early, err, c.ConnectionState().DidResume)
		}
		c.CloseWithError(0, "")
	})
}

// wantRejected demands that early data be rejected and arrive all the same.
func (e *earlyEnv) wantRejected() {
	e.t.Helper()
	c := e.dial()
	if c.ConnectionState().HandshakeComplete {
		e.t.Fatal("no early data was offered")
	}
	go func() { e.answer(e.accept()) }()
	answer, took := e.ask(c, "question")
	if answer != "answer to question" || took < 2*memRoundTrip {
		e.t.Errorf("%q after %v, want two round trips", answer, took)
	}
	if early, err := c.AwaitHandshake(e.ctx); early || err != nil {
		e.t.Errorf("AwaitHandshake: %v, %v", early, err)
	}
	time.Sleep(memRoundTrip * 2)
	c.CloseWithError(0, "")
}

// anew has the server stop and another begin at its address.
func (e *earlyEnv) anew(serverTLS *tls.Config, conf *Config) {
	e.t.Helper()
	t := e.listener.Transport()
	e.listener.Close()
	l, err := t.Listen(serverTLS, conf)
	if err != nil {
		e.t.Fatal(err)
	}
	e.listener = l
}

// A server with other keys rejects early data.
func TestEarlyDataOtherKeys(t *testing.T) {
	earlyBubble(t, Config{Allow0RTT: true}, Config{}, setup{}, func(t *testing.T, e *earlyEnv) {
		e.anew(e.serverTLS, &Config{Allow0RTT: true})
		e.wantRejected()
	})
}

// A ticket that was used is not accepted again: what is replayed is refused.
func TestEarlyDataReplayed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e, end := newMemEnv(t, &Config{Allow0RTT: true}, &Config{Allow0RTT: true})
		defer end()
		e.clientTLS.ClientSessionCache = new(replayed)
		e.visit()
		c := e.dial()
		e.answer(e.accept())
		if answer, _ := e.ask(c, "question"); answer != "answer to question" {
			t.Errorf("answered %q", answer)
		}
		if early, _ := c.AwaitHandshake(e.ctx); !early {
			t.Fatal("early data was not accepted once")
		}
		c.CloseWithError(0, "")
		(&earlyEnv{env: e}).wantRejected()
	})
}

func TestReplayGuard(t *testing.T) {
	earlyBubble(t, Config{Allow0RTT: true, ReplayGuard: unsureGuard{}}, Config{}, setup{}, func(t *testing.T, e *earlyEnv) {
		e.wantRejected()
	})
}

func TestEarlyState(t *testing.T) {
	keys := func(conf *tls.Config) { conf.SetSessionTicketKeys([][32]byte{{7}}) }
	guard := func() ReplayGuard { return sureGuard{} }
	earlyBubble(t, Config{Allow0RTT: true, EarlyState: []byte("one"), ReplayGuard: guard()}, Config{}, setup{serverTLS: keys}, func(t *testing.T, e *earlyEnv) {
		e.anew(e.serverTLS, &Config{Allow0RTT: true, EarlyState: []byte("one"), ReplayGuard: guard()})
		c := e.dial()
		e.accept()
		if early, err := c.AwaitHandshake(e.ctx); !early || err != nil {
			t.Errorf("the same state: %v, %v", early, err)
		}
		time.Sleep(memRoundTrip * 2)
		c.CloseWithError(0, "")
		e.anew(e.serverTLS, &Config{Allow0RTT: true, EarlyState: []byte("two"), ReplayGuard: guard()})
		e.wantRejected()
	})
}

// sureGuard has seen nothing.
type sureGuard struct{}

func (sureGuard) FirstUse([16]byte, time.Time, time.Time) bool { return true }

// Limits that are lower now make a server reject early data, of which streams that are too
// many wait (RFC 9000, Section 7.4.1).
func TestEarlyDataLowerLimits(t *testing.T) {
	keys := func(conf *tls.Config) { conf.SetSessionTicketKeys([][32]byte{{7}}) }
	earlyBubble(t, Config{Allow0RTT: true, ReplayGuard: sureGuard{}}, Config{}, setup{serverTLS: keys}, func(t *testing.T, e *earlyEnv) {
		e.anew(e.serverTLS, &Config{Allow0RTT: true, ReplayGuard: sureGuard{}, MaxIncomingStreams: 2, InitialStreamWindow: 1500, MaxStreamWindow: 1500})
		c := e.dial()
		go func() { e.answer(e.accept()) }()
		question := string(make([]byte, 5000))
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				if answer, _ := e.ask(c, question); answer != "answer to "+question {
					t.Errorf("an answer of %d bytes", len(answer))
				}
			})
		}
		all.Wait()
		if early, err := c.AwaitHandshake(e.ctx); early || err != nil {
			t.Errorf("AwaitHandshake: %v, %v", early, err)
		}
	})
}

// Datagrams may be sent early.
func TestEarlyDatagrams(t *testing.T) {
	conf := Config{Allow0RTT: true, EnableDatagrams: true}
	earlyBubble(t, conf, Config{EnableDatagrams: true}, setup{}, func(t *testing.T, e *earlyEnv) {
		c := e.dial()
		if err := c.SendDatagram([]byte("early")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		s := e.accept()
		if b, err := s.ReceiveDatagram(e.ctx); err != nil || string(b) != "early" || time.Since(start) >= memRoundTrip {
			t.Errorf("received %q, %v after %v", b, err, time.Since(start))
		}
	})
}

// Both versions, and a Retry in between.
func TestEarlyDataVersion2(t *testing.T) {
	v2 := []Version{Version2}
	earlyBubble(t, Config{Allow0RTT: true, Versions: v2}, Config{Versions: v2}, setup{}, func(t *testing.T, e *earlyEnv) {
		c := e.dial()
		e.answer(e.accept())
		if answer, took := e.ask(c, "question"); answer != "answer to question" || took > memRoundTrip*3/2 {
			t.Errorf("%q after %v", answer, took)
		}
	})
}

func TestEarlyDataAfterRetry(t *testing.T) {
	s := setup{serverOn: &TransportConfig{RequireAddressValidation: true}}
	earlyBubble(t, Config{Allow0RTT: true}, Config{}, s, func(t *testing.T, e *earlyEnv) {
		c := e.dial()
		go func() { e.answer(e.accept()) }()
		if answer, took := e.ask(c, "question"); answer != "answer to question" || took > memRoundTrip*5/2 {
			t.Errorf("%q after %v", answer, took)
		}
		if early, err := c.AwaitHandshake(e.ctx); !early || err != nil {
			t.Errorf("AwaitHandshake: %v, %v", early, err)
		}
	})
}

// A server that asks for another key share would reject early data (RFC 8446, Section
// 4.2.10), so none is sent to one that did.
func TestEarlyDataHelloRetry(t *testing.T) {
	curve := func(conf *tls.Config) { conf.CurvePreferences = []tls.CurveID{tls.CurveP384} }
	earlyBubble(t, Config{Allow0RTT: true}, Config{}, setup{serverTLS: curve}, func(t *testing.T, e *earlyEnv) {
		c := e.dial()
		if s := c.ConnectionState(); !s.HandshakeComplete || !s.HelloRetryRequest || !s.DidResume {
			t.Errorf("complete: %v, with a second hello: %v, resumed: %v", s.HandshakeComplete, s.HelloRetryRequest, s.DidResume)
		}
		e.answer(e.accept())
		if answer, _ := e.ask(c, "question"); answer != "answer to question" {
			t.Errorf("answered %q", answer)
		}
	})
}

// The handshake of a connection that was early may fail, and what waits for it ends.
func TestEarlyDataServerGone(t *testing.T) {
	earlyBubble(t, Config{Allow0RTT: true}, Config{HandshakeTimeout: time.Second}, setup{}, func(t *testing.T, e *earlyEnv) {
		e.listener.Transport().Close()
		c := e.dial()
		ctx, cancel := context.WithTimeout(e.ctx, 100*time.Millisecond)
		defer cancel()
		if _, err := c.AwaitHandshake(ctx); err != context.DeadlineExceeded {
			t.Errorf("AwaitHandshake: %v", err)
		}
		if _, err := c.AwaitHandshake(e.ctx); err == nil || err != c.Err() {
			t.Errorf("AwaitHandshake: %v, and the connection's error is %v", err, c.Err())
		}
	})
}
