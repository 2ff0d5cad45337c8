package quiclb

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic"
)

// balancer is a load balancer at one address: what has an ID of a server goes there, and other
// packets to where those before went from the same address.
type balancer struct {
	front   *net.UDPConn
	servers []net.Addr
	route   func(id []byte) (server int, ok bool)

	mu    sync.Mutex
	flows map[string]*flow // by the client's address
	next  int
	wg    sync.WaitGroup
}

type flow struct {
	*net.UDPConn     // as which servers know the client
	server       int // where packets go that say none
}

// run passes packets on until the front is closed.
func (b *balancer) run() {
	buf := make([]byte, 2048)
	for {
		n, client, err := b.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		id := buf[1:n] // of a short header
		if buf[0]&0x80 != 0 {
			id = buf[6:][:buf[5]]
		}
		b.mu.Lock()
		f := b.flows[client.String()]
		if f == nil {
			back, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				panic(err)
			}
			f = &flow{back, b.next % len(b.servers)}
			b.next++
			b.flows[client.String()] = f
			b.wg.Go(func() {
				buf := make([]byte, 2048)
				for {
					n, _, err := back.ReadFrom(buf)
					if err != nil {
						return
					}
					_, _ = b.front.WriteToUDPAddrPort(buf[:n], client)
				}
			})
		}
		to := f.server
		if server, ok := b.route(id); ok {
			to = server
		}
		_, _ = f.WriteTo(buf[:n], b.servers[to])
		b.mu.Unlock()
	}
}

// forget has all clients come from another address, as servers see it, and the balancer know
// none of them.
func (b *balancer) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.flows {
		_ = f.Close()
	}
	clear(b.flows)
	b.next++ // who says no server would go to another one
}

// layouts returns for each layout what makes the IDs of a server, and what reads them.
func layouts(t *testing.T) map[string]func(server int) (quic.ConnectionIDGenerator, func(id []byte) (int, bool)) {
	must := func(g quic.ConnectionIDGenerator, err error) quic.ConnectionIDGenerator {
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	lb := func(c Config) func(int) (quic.ConnectionIDGenerator, func([]byte) (int, bool)) {
		return func(server int) (quic.ConnectionIDGenerator, func([]byte) (int, bool)) {
			d, err := c.NewDecoder()
			serverID := make([]byte, c.ServerIDLen)
			serverID[0], serverID[c.ServerIDLen-1] = 0xa5, byte(server)
			return must(New(c, serverID)), func(id []byte) (int, bool) {
				got, readErr := d.AppendServerID(nil, id)
				if err != nil || readErr != nil || got[0] != 0xa5 {
					return 0, false
				}
				at := int(got[len(got)-1])
				return at, at < 4
			}
		}
	}
	key := []byte("a key for tests.")
	return map[string]func(int) (quic.ConnectionIDGenerator, func([]byte) (int, bool)){
		"plaintext":                lb(Config{ServerIDLen: 3, NonceLen: 6, EncodeLength: true}),
		"single pass":              lb(Config{ID: 1, ServerIDLen: 4, NonceLen: 12, Key: key}),
		"four passes":              lb(Config{ID: 2, ServerIDLen: 3, NonceLen: 6, Key: key}),
		"four passes, long server": lb(Config{ID: 3, ServerIDLen: 9, NonceLen: 6, Key: key}),
		"NLB": func(server int) (quic.ConnectionIDGenerator, func([]byte) (int, bool)) {
			g := NLB([8]byte{0xa5, 7: byte(server)})
			_, read := lb(Config{ServerIDLen: 8, NonceLen: 7})(server)
			return g, read
		},
		"Katran": func(server int) (quic.ConnectionIDGenerator, func([]byte) (int, bool)) {
			return must(Katran(uint16(0xa500+server), 10)), func(id []byte) (int, bool) {
				at := katranServer(id) - 0xa500
				return at, at >= 0 && at < 4
			}
		},
	}
}

// TestBalancer: connections through a balancer that routes by a layout stay at their server,
// which has two event loops, however often their clients' addresses change and the balancer
// forgets all of them.
func TestBalancer(t *testing.T) {
	leak.Check(t)
	const servers, clients, moves = 4, 6, 3
	for name, layout := range layouts(t) {
		serverTLS, clientTLS := peertest.TLS(t, "test")
		front, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		b := &balancer{front: front, flows: make(map[string]*flow)}
		for i := range servers {
			var ids quic.ConnectionIDGenerator
			ids, b.route = layout(i)
			ln, err := (&quic.TransportConfig{ConnectionIDs: ids, Loops: 2}).Listen("127.0.0.1:0", serverTLS, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Transport().Close()
			b.servers = append(b.servers, ln.Addr())
			go echo(t, ln)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); b.run() }()
		var conns []*quic.Conn
		for range clients {
			c, err := quic.Dial(t.Context(), front.LocalAddr().String(), clientTLS, nil)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			conns = append(conns, c)
		}
		for move := range 1 + moves {
			for i, c := range conns {
				if err := ask(t, c, fmt.Sprint(name, move, i)); err != nil {
					t.Fatalf("%s: client %d after %d moves: %v", name, i, move, err)
				}
			}
			b.forget()
		}
		for _, c := range conns {
			_ = c.CloseWithError(0, "")
		}
		_ = front.Close()
		<-ended
		b.forget()
		b.wg.Wait()
	}
}

// echo answers what comes on streams with the same.
func echo(t *testing.T, ln *quic.Listener) {
	for {
		c, err := ln.Accept(t.Context())
		if err != nil {
			return
		}
		go func() {
			for {
				s, err := c.AcceptStream(t.Context())
				if err != nil {
					return
				}
				_, _ = io.Copy(s, s)
				_ = s.Close()
			}
		}()
	}
}

// ask sends a question that is too long for one packet, and wants it back.
func ask(t *testing.T, c *quic.Conn, text string) error {
	s, err := c.OpenStream(t.Context())
	if err != nil {
		return err
	}
	question := bytes.Repeat([]byte(text), 1000)
	if _, err := s.Write(question); err != nil {
		return err
	}
	_ = s.Close()
	answer, err := io.ReadAll(s)
	if err == nil && !bytes.Equal(answer, question) {
		err = fmt.Errorf("%d bytes came back of %d", len(answer), len(question))
	}
	return err
}
