package quic_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/congestion"
)

// modest is CUBIC, but never faster than a rate in bytes per second: a controller of one's
// own may build on another.
type modest struct {
	congestion.Controller
	most uint64
}

// PacingRate overrides that of CUBIC, which is 0, for no pacing, before there is a sample
// of the round-trip time.
func (m modest) PacingRate() uint64 {
	if rate := m.Controller.PacingRate(); rate != 0 && rate < m.most {
		return rate
	}
	return m.most
}

// A server whose connections send at most 100 Mbit/s each.
func ExampleConfig_congestion() {
	ctx := context.Background()
	ln, clientTLS := exampleServer(&quic.Config{Congestion: func(c congestion.Config) congestion.Controller {
		return modest{congestion.NewCUBIC(c), 100e6 / 8}
	}})
	defer ln.Transport().Close()
	go func() {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		stream, err := conn.OpenUniStream(ctx)
		if err != nil {
			return
		}
		stream.Write(make([]byte, 300_000))
		stream.Close()
	}()

	conn, err := quic.Dial(ctx, ln.Addr().String(), clientTLS, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.CloseWithError(0, "")
	stream, err := conn.AcceptUniStream(ctx)
	if err != nil {
		log.Fatal(err)
	}
	n, err := io.Copy(io.Discard, stream)
	fmt.Println(n, err)
	// Output: 300000 <nil>
}
