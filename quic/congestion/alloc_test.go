package congestion

import (
	"testing"
	"time"
)

// TestNoAllocations: whatever a connection calls while it lives allocates nothing.
func TestNoAllocations(t *testing.T) {
	all := controllers()
	all["BBR"] = NewBBR
	for name, newController := range all {
		c := newController(Config{MaxDatagramSize: mds})
		now := time.Second
		packets := []Packet{{Bytes: mds}, {Bytes: mds}}
		f := Feedback{Acked: packets, AckedBytes: 2 * mds, Lost: packets, LostBytes: 2 * mds, Late: packets, Marked: 1}
		sent := Sent{Bytes: mds, InFlight: 8 * mds}
		allocs := testing.AllocsPerRun(100, func() {
			now += 10 * time.Millisecond
			for i := range packets {
				packets[i].SentAt = now - 1e6
			}
			sent.Now = now
			c.OnSent(&sent)
			f.Now, f.MarkedSentAt, f.InFlight, f.PriorInFlight = now, now, 8*mds, 10*mds
			f.LatestRTT, f.MinRTT, f.SmoothedRTT = 1e6, 1e6, 1e6
			f.Persistent = !f.Persistent
			c.OnFeedback(&f)
			c.SetMaxDatagramSize(mds)
			_, _, _, _ = c.Window(), c.PacingRate(), c.SendQuantum(), c.Metrics()
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations", name, allocs)
		}
	}
}
