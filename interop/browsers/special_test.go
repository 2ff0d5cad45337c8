package browsers

import (
	"context"
	"flag"
	"io"
	"time"

	"github.com/godwit-quic/godwit/webtransport"
)

// quiet wants of browsers what only an idle machine shows: a browser that has to wait for
// its processor drops datagrams however they are sent, as it keeps few of those that it
// finds when it looks.
//
//	go test -run Firefox ./browsers -quiet
var quiet = flag.Bool("quiet", false, "nothing else runs on this machine: no datagram of a burst may be lost")

// The bursts in which datagrams are sent that a browser should lose none of: those of a
// game, say, or of a table of prices.
const (
	burstDatagrams = 20
	burstSize      = 300 // bytes each
	bursts         = 10
	burstPause     = time.Millisecond
)

// sendBursts sends datagrams once the page has asked for them with one of its own.
func sendBursts(session *webtransport.Session) {
	ctx := session.Context()
	if _, err := session.ReceiveDatagram(ctx); err != nil {
		return
	}
	for i := range bursts * burstDatagrams {
		b := make([]byte, burstSize)
		b[0], b[1] = byte(i>>8), byte(i)
		_ = session.SendDatagram(b)
		if i%burstDatagrams == burstDatagrams-1 {
			time.Sleep(burstPause)
		}
	}
	<-ctx.Done()
}

// closeCode and closeReason are what closeWithStream closes sessions with.
const (
	closeCode   = 4000000001
	closeReason = "that was all"
)

// closeWithStream closes the session while a stream of the page's is open in both
// directions.
func closeWithStream(session *webtransport.Session) {
	st, err := session.AcceptStream(context.Background())
	if err == nil {
		_, err = io.ReadFull(st, make([]byte, 1))
	}
	if err == nil {
		_, _ = st.Write([]byte("x"))
		_ = session.CloseWithError(closeCode, closeReason)
	}
}
