package event

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/quic"
)

// datagramScript is a script that is told of datagrams.
type datagramScript struct {
	script
	datagrams func(Turn, [][]byte)
}

func (h *datagramScript) HandleDatagrams(t Turn, list [][]byte) { h.datagrams(t, list) }

// TestHandlerDatagrams: a handler is given datagrams in their order, once, in memory that
// it may change, and after what came before them.
func TestHandlerDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(datagramScript)
		h.datagrams = func(turn Turn, list [][]byte) {
			for _, p := range list {
				h.note("%q", p)
				if len(p) != cap(p) {
					t.Errorf("a datagram has %d bytes and room for %d", len(p), cap(p))
				}
				for i := range p {
					p[i] ^= 0xff
				}
				if err := turn.Conn().SendDatagram(p); err != nil {
					t.Error(err)
				}
			}
		}
		conf := &quic.Config{EnableDatagrams: true}
		e, closeAll := newMemEnv(t, conf, conf, setup{server: handled(h)})
		defer closeAll()
		c := e.dial()
		s, err := c.OpenUniStream(e.ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.Write([]byte("x"))
		time.Sleep(time.Second)
		want := "stream 2\nreadable 2"
		for i := range 100 {
			want += fmt.Sprintf("\n%q", fmt.Sprint(i))
			if err := c.SendDatagram([]byte(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := h.log(); got != want {
			t.Errorf("calls:\n%s\nwant:\n%s", got, want)
		}
		for i := range 100 {
			p, err := c.ReceiveDatagram(e.ctx)
			for i := range p {
				p[i] ^= 0xff
			}
			if err != nil || string(p) != fmt.Sprint(i) {
				t.Fatalf("datagram %d came back as %q, %v", i, p, err)
			}
		}
	})
}
