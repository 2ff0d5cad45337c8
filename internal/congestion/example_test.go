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
