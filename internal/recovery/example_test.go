package recovery_test

import (
	"fmt"
	"time"

	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/recovery"
	"github.com/godwit-quic/godwit/internal/wire"
)

// printer tells the fates of packets.
type printer struct{}

func (printer) PacketAcked(_ monotime.Time, _ wire.Space, p *recovery.Sent) {
	fmt.Println("acknowledged", p.Number)
}

func (printer) PacketLost(_ monotime.Time, _ wire.Space, p *recovery.Sent) {
	fmt.Println("lost", p.Number)
}

func (printer) PacketLate(_ monotime.Time, bytes int, _ monotime.Time) {
	fmt.Println("late", bytes)
}

// Five packets go out, and the last is acknowledged 40 ms later.
func ExampleDetector() {
	d := recovery.NewDetector(printer{})
	space := recovery.NewSpace()
	d.SetSpace(wire.AppSpace, &space)

	now := monotime.Time(time.Second)
	for range 5 {
		p := space.Begin()
		p.SentAt, p.Eliciting, p.Bytes = now, true, 1200
		d.OnSent(wire.AppSpace, p)
	}
	fmt.Println(d.InFlight(), "bytes in flight")

	var ack wire.Ack
	frame := wire.AppendAck(nil, 100, 0, []wire.PacketRange{{Smallest: 4, Largest: 4}}, nil)
	wire.ConsumeAck(wire.FrameAck, frame[1:], &ack)
	now = now.Add(40 * time.Millisecond)
	res, ok := d.OnAck(now, wire.AppSpace, &ack, 0)
	fmt.Println(ok, res.Loss.Packets, "lost, round trip", d.RTT.Smoothed)

	limits := recovery.Limits{Confirmed: true, PeerValidated: true}
	fmt.Println("the rest counts as lost in", d.Deadline(limits).Sub(now))
	// Output:
	// 6000 bytes in flight
	// acknowledged 4
	// lost 0
	// lost 1
	// true 2 lost, round trip 40ms
	// the rest counts as lost in 5ms
}
