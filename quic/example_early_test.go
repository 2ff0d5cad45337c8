package quic_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"

	"github.com/godwit-quic/godwit/quic"
)

// A client that comes back sends its question in its first packets. Questions may be
// replayed, so the server only answers what does no harm before the handshake is complete.
func ExampleConn_AwaitHandshake() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(&quic.Config{Allow0RTT: true})
	defer ln.Transport().Close()
	go func() {
		for {
			conn, err := ln.Accept(ctx)
			if err != nil {
				return
			}
			stream, err := conn.AcceptStream(ctx)
			if err != nil {
				continue
			}
			question, _ := io.ReadAll(stream)
			if string(question) != "what time is it?" {
				if _, err := conn.AwaitHandshake(ctx); err != nil {
					continue
				}
			}
			fmt.Fprint(stream, "late")
			stream.Close()
		}
	}()

	sessions := make(cache, 1)
	clientTLS.ClientSessionCache = sessions
	for range 2 {
		conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, &quic.Config{Allow0RTT: true})
		if err != nil {
			log.Fatal(err)
		}
		stream, err := conn.OpenStream(ctx)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Fprint(stream, "what time is it?")
		stream.Close()
		answer, err := io.ReadAll(stream)
		if err != nil {
			log.Fatal(err)
		}
		early, err := conn.AwaitHandshake(ctx)
		fmt.Printf("%s; early data was accepted: %v %v\n", answer, early, err)
		sessions.wait() // for the next connection
		conn.CloseWithError(0, "")
	}
	// Output:
	// late; early data was accepted: false <nil>
	// late; early data was accepted: true <nil>
}

// cache is a tls.ClientSessionCache for one session, which programs that end at once can
// wait for. Others have tls.NewLRUClientSessionCache.
type cache chan *tls.ClientSessionState

func (c cache) Get(string) (*tls.ClientSessionState, bool) {
	select {
	case s := <-c:
		return s, true
	default:
		return nil, false
	}
}

func (c cache) Put(_ string, s *tls.ClientSessionState) {
	if s != nil {
		c <- s
	}
}

func (c cache) wait() { c <- <-c }
