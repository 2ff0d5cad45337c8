package event

import (
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// silenceHandler is a Handler that notes silences.
type silenceHandler struct{ silent chan struct{} }

func (h silenceHandler) HandleSilent(Turn)                     { h.silent <- struct{}{} }
func (silenceHandler) HandleStream(Turn, Stream) StreamHandler { return nil }
func (silenceHandler) HandleClose(Turn, error)                 {}

// A Handler is told once of a peer that does not answer, and that work waits in vain,
// before the connection ends.
func TestHandleSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := silenceHandler{make(chan struct{}, 16)}
		e, closeAll := newMemEnv(t, nil, nil, setup{client: handled(h)})
		defer closeAll()
		client, _ := e.pair()
		time.Sleep(time.Second) // the handshake is confirmed
		e.network.Drop(func(netip.AddrPort, netip.AddrPort, []byte) bool { return true })
		s, err := client.OpenUniStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		<-h.silent
		if err := client.Err(); err != nil {
			t.Errorf("told when the connection had ended: %v", err)
		}
		<-client.Done()
		if n := len(h.silent); n > 0 {
			t.Errorf("told %d times more", n)
		}
	})
}
