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

func (printer) PacketAcked(_ monotime.Time, _ wire.Space, pn wire.PacketNumber, _ *recovery.Sent) {
	fmt.Println("acknowledged", pn)
}

func (printer) PacketLost(_ monotime.Time, _ wire.Space, pn wire.PacketNumber, _ *recovery.Sent) {
	fmt.Println("lost", pn)
}

func (printer) PacketLate(_ monotime.Time, p recovery.LatePacket) {
	fmt.Println("late", p.Number)
}

func (printer) PathState(recovery.PathID) *recovery.PathState { return nil }

// Five packets go out, and the last is acknowledged 40 ms later.
func ExampleDetector() {
	var path recovery.PathState
	d := recovery.NewDetector(printer{})
	d.UsePath(&path)
	space := recovery.NewSpace()
	d.SetSpace(wire.AppSpace, &space)

	now := monotime.Time(time.Second)
	for range 5 {
		p := space.Begin()
		p.SentAt, p.AckEliciting, p.Bytes = now, true, 1200
		d.OnSent(wire.AppSpace, p)
	}
	fmt.Println(path.InFlight(), "bytes in flight")

	var ack wire.Ack
	frame := wire.AppendAck(nil, 100, 0, []wire.PacketRange{{Smallest: 4, Largest: 4}}, nil)
	wire.ConsumeAck(wire.FrameAck, frame[1:], &ack)
	now = now.Add(40 * time.Millisecond)
	res, ok := d.OnAck(now, wire.AppSpace, &ack, 0)
	fmt.Println(ok, res.NewlyAcked, "after", path.RTT.Smoothed)

	limits := recovery.Limits{Confirmed: true, PeerValidated: true}
	fmt.Println("the rest counts as lost in", d.Deadline(limits).Sub(now))
	// Output:
	// 6000 bytes in flight
	// acknowledged 4
	// lost 0
	// lost 1
	// true true after 40ms
	// the rest counts as lost in 5ms
}
