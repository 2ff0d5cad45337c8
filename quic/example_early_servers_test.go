package quic_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// Two servers of one service share the keys of tickets, so that a client of one may send
// early data to the other; and a guard, so that what is replayed is accepted by neither. A
// real one is in a database that both reach, and forgets what has expired.
func ExampleConfig_earlyServers() {
	ctx := context.Background()
	serverTLS, clientTLS := exampleTLS()
	serverTLS.SetSessionTicketKeys([][32]byte{{1, 2, 3}}) // secret, and changed once a day
	conf := &quic.Config{
		Allow0RTT:   true,
		ReplayGuard: &sharedGuard{seen: make(map[[16]byte]bool)},
		EarlyState:  []byte("protocol 1.2"), // tickets of another version permit no early data
	}
	var listeners []*quic.Listener
	for range 2 {
		ln, err := quic.Listen("127.0.0.1:0", serverTLS, conf)
		if err != nil {
			log.Fatal(err)
		}
		defer ln.Transport().Close()
		listeners = append(listeners, ln)
	}

	sessions := make(cache, 1)
	clientTLS.ClientSessionCache = sessions
	visit := func(ln *quic.Listener) {
		conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, &quic.Config{Allow0RTT: true})
		if err != nil {
			log.Fatal(err)
		}
		early, err := conn.AwaitHandshake(ctx)
		fmt.Println("early data was accepted:", early, err)
		sessions.wait() // for the next connection
		conn.CloseWithError(0, "")
	}
	visit(listeners[0])
	used := sessions.copy()
	visit(listeners[1])
	<-sessions
	sessions <- used // with a ticket that was used before, as a replay is
	visit(listeners[0])
	// Output:
	// early data was accepted: false <nil>
	// early data was accepted: true <nil>
	// early data was accepted: false <nil>
}

// sharedGuard is a quic.ReplayGuard.
type sharedGuard struct {
	mu   sync.Mutex
	seen map[[16]byte]bool
}

func (g *sharedGuard) FirstUse(ticket [16]byte, _, _ time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := !g.seen[ticket]
	g.seen[ticket] = true
	return first
}

// copy returns the session that is in the cache.
func (c cache) copy() *tls.ClientSessionState {
	s := <-c
	c <- s
	return s
}
