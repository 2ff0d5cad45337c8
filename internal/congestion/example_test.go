package congestion_test

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/congestion"
	"github.com/godwit-quic/godwit/internal/monotime"
)

func ExampleNewCUBIC() {
	cc := congestion.NewCUBIC(congestion.Config{MaxDatagramSize: 1200})
	fmt.Println(cc.Window(), cc.State())

	now := monotime.Time(time.Second)
	cc.OnLost(now, 1200, now.Add(-time.Millisecond))
	fmt.Println(cc.Window(), cc.State())
	// Output:
	// 12000 slow_start
	// 8400 recovery
}

func ExamplePacer() {
	var p congestion.Pacer
	now := monotime.Time(1)
	p.Update(now, 1_200_000, 1200) // a packet each millisecond
	for p.Budget(now) >= 1200 {
		p.OnSent(now, 1200)
	}
	fmt.Println(p.NextSend(now, 1200).Sub(now))
	// Output: 1ms
}
