package engine_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/test/sim"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestLocalIDLengths: local connection IDs may have any length, on either side, and the
// empty one on a client's. All IDs that were given out lead to the connection, and none
// is left when it is gone.
func TestLocalIDLengths(t *testing.T) {
	for length := range wire.MaxConnectionIDLen + 1 {
		t.Run(fmt.Sprint(length), func(t *testing.T) {
			ids := [2]connid.Generator{
				wire.ClientSide: connid.Plain{Length: length, ShardAt: max(length-1, 0)},
				wire.ServerSide: connid.Plain{Length: max(length, 1)},
			}
			p := newPairWithIDs(t, engine.Config{MaxBidiStreams: 10}, ids)
			for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
				want := engine.MaxLocalIDs
				if side == wire.ClientSide && length == 0 {
					want = 1
				}
				if h := p.ends[side].conn.Held(); h.LocalIDs != want {
					t.Errorf("the %v gave out %d connection IDs, want %d", side, h.LocalIDs, want)
				}
				s, err := p.ends[side].conn.OpenStream(false)
				if err != nil {
					t.Fatal(err)
				}
				p.write(side, s, make([]byte, 100_000))
				if n := p.ends[side.Peer()].read; n != 100_000 {
					t.Errorf("%d bytes of the %v arrived", n, side)
				}
			}
			p.ends[wire.ClientSide].conn.Close(p.now, 0, "")
			p.exchange()
			p.now = p.now.Add(time.Minute)
			p.exchange()
			for _, e := range p.ends {
				if err := e.endpoint.CheckEmpty(); err != nil || e.endpoint.Conns() > 0 {
					t.Errorf("%d connections are left: %v", e.endpoint.Conns(), err)
				}
			}
		})
	}
}

// TestEmptyLocalIDs: they allow one connection at a time, and no server.
func TestEmptyLocalIDs(t *testing.T) {
	p := newPairWithIDs(t, engine.Config{}, [2]connid.Generator{wire.ClientSide: connid.Plain{}})
	client := p.ends[wire.ClientSide]
	dial := func() error {
		_, err := client.endpoint.Dial(p.now, path.Addrs{Remote: puppetAddr}, engine.Config{}.WithDefaults(), &sim.FakeTLS{Side: wire.ClientSide})
		return err
	}
	if err := dial(); !errors.Is(err, engine.ErrOneConnection) {
		t.Errorf("a second connection: %v", err)
	}
	client.conn.Close(p.now, 0, "")
	p.exchange()
	p.now = p.now.Add(time.Minute)
	p.exchange()
	if err := dial(); err != nil {
		t.Errorf("a connection after the other one: %v", err)
	}
	server := newServer(t, func(p *puppet) { p.ids = connid.Plain{} })
	server.start()
	server.flush()
	if s := server.endpoint.Stats(); server.conn != nil || s.Refused == 0 {
		t.Errorf("a server with empty connection IDs has a connection; %d were refused", s.Refused)
	}
}

// A peer cannot retire an empty connection ID (RFC 9000, Section 19.16).
func TestRetireEmptyLocalID(t *testing.T) {
	p := newClient(t, func(p *puppet) { p.ids = connid.Plain{} })
	p.handshake()
	p.send(wire.AppSpace, retireConnID(0))
	p.wantClose(wire.ProtocolViolation)
}

// TestLocalIDsUsedUp: with IDs that are so short that none is free, connections are
// refused, and those there are go on.
func TestLocalIDsUsedUp(t *testing.T) {
	e := engine.NewEndpoint(engine.EndpointConfig{ConnectionIDs: connid.Plain{Length: 1}, Shards: 64})
	dialled := 0
	for range 100 {
		_, err := e.Dial(puppetStart, path.Addrs{Remote: puppetAddr}, engine.Config{}.WithDefaults(), &sim.FakeTLS{Side: wire.ClientSide})
		if err == nil {
			dialled++
		} else if !errors.Is(err, engine.ErrNoID) {
			t.Fatal(err)
		}
	}
	if dialled != 4 { // of 256 IDs, with 64 shards
		t.Errorf("%d connections were dialled, want 4", dialled)
	}
}

// TestKnows: an endpoint tells its own connections' datagrams from others.
func TestKnows(t *testing.T) {
	p := newPair(t, engine.Config{MaxUniStreams: 1})
	client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
	s, err := client.conn.OpenStream(true)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = s.Send.Write([]byte("hello"))
	client.conn.StreamWritten(s)
	out, ok := client.conn.PollTransmit(p.now, p.buf, 1)
	if !ok || !server.endpoint.Knows(out.Data) || client.endpoint.Knows(out.Data) {
		t.Errorf("the server knows %x: %v, the client: %v", out.Data, server.endpoint.Knows(out.Data), client.endpoint.Knows(out.Data))
	}
	for n := range out.Data {
		_ = server.endpoint.Knows(out.Data[:n])
	}
}

// TestKnowsReset: a stateless reset is known by its token alone, as its ID is random.
func TestKnowsReset(t *testing.T) {
	p := newClient(t, withResetToken)
	p.handshake()
	if !p.endpoint.Knows(reset(p.params.StatelessResetToken, 40)) || p.endpoint.Knows(reset(wire.ResetToken{1}, 40)) {
		t.Error("the endpoint does not know what is for it")
	}
}
