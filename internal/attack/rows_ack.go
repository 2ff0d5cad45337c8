package attack

import (
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

var ackRows = []Row{
	{Name: "ack-every-other-2700", Class: "ACK ranges", run: everyOther(2_700),
		Does: "lets a download grow to 2,700 packets in flight, and then acknowledges every other, 500 ranges a packet"},
	{Name: "ack-every-other-5400", Class: "ACK ranges", run: everyOther(5_400),
		Does: "the same with 5,400 packets"},
	{Name: "ack-every-other-10700", Class: "ACK ranges", run: everyOther(10_700),
		Does: "the same with 10,700 packets"},
	{Name: "ack-single-ranges", Class: "ACK ranges", run: singleRanges,
		Does: "acknowledges what arrived long ago, packet by packet, in each of as many ACK frames as it can send"},
	{Name: "ack-230-frames", Class: "ACK ranges", run: ackFrames,
		Does: "fills packets with 230 ACK frames each"},
	{Name: "ack-optimistic", Class: "optimistic ACK", run: optimistic,
		Does: "acknowledges packets of a download that have not arrived yet"},
	{Name: "ack-never", Class: "ACK metadata retention", run: neverAck,
		Does: "lets a download grow to 21,000 packets in flight, and acknowledges nothing any more"},
}

// download is what an attacker asks for when it wants a window to grow.
const download = "/bytes/4000000000"

// roundTrip is what growing pretends the round trip to be: the same for each, so
// that slow start has no reason to end.
const roundTrip = 120 * time.Millisecond

// grow lets a download's window grow until so many packets are in flight, or it
// grows no more. It returns the packets of the last round trip, unacknowledged.
func (a *attacker) grow(want int) (*conn, wire.PacketNumber, error) {
	c, err := a.dial(dialing{})
	if err != nil {
		return nil, 0, err
	}
	a.pause(roundTrip)
	c.mute = true
	c.get(download)
	sp := &c.spaces[wire.AppSpace]
	start := time.Now()
	for {
		from := sp.largest()
		for end := time.Now().Add(roundTrip); time.Now().Before(end); {
			a.poll(time.Until(end))
		}
		for quiet := sp.largest(); ; quiet = sp.largest() { // the train may be longer than that
			a.poll(10 * time.Millisecond)
			if sp.largest() == quiet {
				break
			}
		}
		if err := c.failed(); err != nil {
			return nil, 0, err
		}
		if int(sp.largest()-from) >= want || time.Since(start) > growPatience {
			return c, from, nil
		}
		c.sendIn(wire.AppSpace, wire.AppendAck(nil, maxAck, 0, sp.received, nil))
	}
}

// growPatience is how long a window may take to grow.
const growPatience = 8 * time.Second

// everyOther is the pattern that makes loss recovery work hardest: the more ranges
// are acknowledged, the more are lost between them.
func everyOther(want int) func(a *attacker) error {
	return func(a *attacker) error {
		c, from, err := a.grow(want)
		if err != nil {
			return err
		}
		sp := &c.spaces[wire.AppSpace]
		top := sp.largest()
		a.begun()
		const perFrame = 500
		var ranges []wire.PacketRange // descending, as frames have them
		frames := 0
		for pn := from + 2; pn <= top; pn += 2 {
			if sp.has(pn) {
				ranges = append([]wire.PacketRange{{Smallest: pn, Largest: pn}}, ranges...)
			}
			if len(ranges) == perFrame || pn+2 > top && len(ranges) > 0 {
				c.payload = wire.AppendAck(c.payload[:0], 2*perFrame+100, 0, ranges, nil)
				c.sendIn(wire.AppSpace, c.payload)
				ranges = ranges[:0]
				frames++
			}
		}
		a.sock.flush()
		a.notef("%d packets in flight, %d ACK frames", int(top-from), frames)
		a.pause(a.target.Duration) // nothing more is acknowledged
		if err := c.failed(); err != nil {
			a.notef("%s; %v", a.note, err)
		}
		return nil
	}
}

// has reports whether a packet was received.
func (sp *space) has(pn wire.PacketNumber) bool {
	for _, r := range sp.received {
		if r.Smallest <= pn && pn <= r.Largest {
			return true
		}
	}
	return false
}

func singleRanges(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	c.get("/bytes/1000000")
	a.pause(300 * time.Millisecond)
	var ranges []wire.PacketRange
	sp := &c.spaces[wire.AppSpace]
	for pn := sp.largest(); pn >= 0 && len(ranges) < 500; pn -= 2 {
		if sp.has(pn) {
			ranges = append(ranges, wire.PacketRange{Smallest: pn, Largest: pn})
		}
	}
	b := wire.AppendAck(nil, maxPayload-1, 0, ranges, nil)
	b = wire.AppendPing(b)
	a.begun()
	a.eachConn(100_000, []*conn{c}, func(c *conn) bool { c.send(b); return true })
	a.notef("%d ranges a frame; %s", len(ranges), ends([]*conn{c}))
	return nil
}

func ackFrames(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	a.pause(100 * time.Millisecond)
	sp := &c.spaces[wire.AppSpace]
	one := wire.AppendAck(nil, 100, 0, sp.received[:1], nil)
	var b []byte
	for range min(230, maxPayload/len(one)) {
		b = append(b, one...)
	}
	a.begun()
	a.eachConn(100_000, []*conn{c}, func(c *conn) bool { c.send(b); return true })
	a.notef("%s", ends([]*conn{c}))
	return nil
}

func optimistic(a *attacker) error {
	c, err := a.dial(dialing{})
	if err != nil {
		return err
	}
	a.pause(100 * time.Millisecond)
	c.mute = true
	c.get(download)
	a.begun()
	sp := &c.spaces[wire.AppSpace]
	sent := 0
	a.eachConn(2000, []*conn{c}, func(c *conn) bool {
		top := sp.largest() + 2
		c.send(wire.AppendAck(nil, maxAck, 0, []wire.PacketRange{{Smallest: 0, Largest: top}}, nil))
		sent++
		return true
	})
	if c.alive() {
		a.brokenf("packets that were never sent were acknowledged, and the connection goes on")
	}
	a.notef("%d ACK frames; %s", sent, ends([]*conn{c}))
	return nil
}

func neverAck(a *attacker) error {
	c, from, err := a.grow(21_000)
	if err != nil {
		return err
	}
	a.begun()
	a.notef("%d packets in flight", int(c.spaces[wire.AppSpace].largest()-from))
	for end := a.until; time.Now().Before(end) && c.alive(); {
		c.send(wire.AppendPing(nil))
		a.pause(500 * time.Millisecond)
	}
	return nil
}
