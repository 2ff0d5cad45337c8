package main

import (
	"context"
	"net/url"

	"github.com/godwit-quic/godwit/interop/contract"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/event"
)

// askAtOnce asks for files in one turn of the event loop, as many as the server's limit of
// streams allows, and returns their streams. So the requests share packets: forty packets,
// each with one of them, would overflow the queue of 25 that the runner's network has, and
// be sent again when they are no early data any more.
func askAtOnce(ctx context.Context, conn *quic.Conn, urls []*url.URL) map[*url.URL]*quic.Stream {
	asked := make(chan map[*url.URL]*quic.Stream, 1)
	event.Run(conn, func(t event.Turn) {
		streams := make(map[*url.URL]*quic.Stream)
		for _, u := range urls {
			s, err := t.Open(false, nil)
			if err != nil {
				break
			}
			if _, err := t.WriteLast(s, contract.Request(u)); err != nil {
				break
			}
			streams[u] = s.Detach()
		}
		asked <- streams
	})
	select {
	case streams := <-asked:
		return streams
	case <-conn.Done():
	case <-ctx.Done():
	}
	return nil
}
