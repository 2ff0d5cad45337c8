package path_test

import (
	"fmt"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
)

func ExamplePacer() {
	var p path.Pacer
	now := monotime.Time(1)
	p.Update(now, 1_200_000, 1200) // a packet each millisecond
	for p.Budget(now) >= 1200 {
		p.OnSent(now, 1200)
	}
	fmt.Println(p.NextSend(now, 1200).Sub(now))
	// Output: 1ms
}
