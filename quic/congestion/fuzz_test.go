package congestion

import (
	"testing"
	"time"
)

// FuzzController runs arbitrary events and checks that window, threshold and
// rate stay within bounds.
func FuzzController(f *testing.F) {
	f.Add([]byte("\x00\x20\x00\x20\x01\x03\x00\x50\x02\x10\x00\x7f\x03\x01\x04\x01\x00\xff"))
	f.Fuzz(func(t *testing.T, script []byte) {
		all := controllers()
		all["BBR"] = NewBBR
		for name, newController := range all {
			p := newPath(newController(Config{MaxDatagramSize: mds}), 0)
			size := mds
			for i := 0; i+1 < len(script); i += 2 {
				op, arg := script[i], script[i+1]
				p.now += time.Duration(arg) << (op >> 4 * 2)
				rtt := time.Duration(arg) << (op >> 4)
				sentAt := max(1, p.now-rtt)
				p.underused = op&8 != 0
				switch op % 6 {
				case 0, 1:
					p.rtt = rtt
					p.acked(p.now, sentAt, int(arg)<<8, p.c.Window(), p.delivered>>(op&1))
				case 2:
					p.lost(p.now, sentAt, size)
				case 3:
					p.marked(p.now, sentAt)
				case 4:
					p.loseAll()
				case 5:
					size = 1200 + int(arg)
					p.c.SetMaxDatagramSize(size)
					p.c.OnSent(&Sent{Now: p.now, Bytes: size})
					p.late(sentAt, size)
				}
				if w := p.c.Window(); w < 2*size || w > MaxWindow {
					t.Fatalf("%s: after step %d: window %d, datagrams of %d", name, i/2, w, size)
				}
				if th := p.threshold(); th != 0 && (th < 2*1200 || th >= MaxWindow) {
					t.Fatalf("%s: after step %d: threshold %d", name, i/2, th)
				}
				if rate := p.c.PacingRate(); (rate == 0) != (p.rtt == 0) && name != "BBR" {
					t.Fatalf("%s: after step %d: rate %d at RTT %v", name, i/2, rate, p.rtt)
				}
			}
		}
	})
}
