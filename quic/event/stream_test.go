package event

import (
	"testing"

	"github.com/godwit-quic/godwit/quic"
)

func TestTryRead(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		cs, ss := e.streams(client, server)
		if n, err := Of(ss).TryRead(make([]byte, 1)); n != 0 || err != nil {
			t.Errorf("TryRead with nothing there: %d, %v", n, err)
		}
		Run(client, func(turn Turn) {
			n, err := turn.Write(Of(cs), make([]byte, 64<<20))
			if n == 0 || n == 64<<20 || err != nil {
				t.Errorf("Turn.Write of far too much: %d, %v", n, err)
			}
		})
		if n, err := ss.Read(nil); n != 0 || err != nil {
			t.Errorf("Read into nothing: %d, %v", n, err)
		}
	})
}

// A stream tells, also when its connection has ended, whether anything of it has left.
func TestNothingSent(t *testing.T) {
	bubble(t, nil, nil, func(t *testing.T, e *env, client, server *quic.Conn) {
		var streams [3]*quic.Stream
		for i := range streams {
			s, err := client.OpenStream(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			streams[i] = s
		}
		if _, err := streams[0].Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		client.Flush()
		server.CloseWithError(0, "")
		<-client.Done()
		if _, err := streams[1].Write([]byte("x")); err == nil {
			t.Error("written to a closed connection")
		}
		for i, want := range []bool{false, true, true} {
			if got := Of(streams[i]).NothingSent(); got != want {
				t.Errorf("stream %d: nothing sent: %v", i, got)
			}
		}
	})
}
