package wtclient

import (
	"fmt"
	"strings"
	"time"
)

// summaryEvent is the last one.
type summaryEvent struct {
	stamp
	Sent        counts      `json:"sent"`
	Received    counts      `json:"received"`
	Dropped     uint64      `json:"dropped_datagrams"` // received faster than shown
	SmoothedRTT float64     `json:"smoothed_rtt_ms"`   // of the connection
	LostPackets uint64      `json:"lost_packets"`
	Ping        *pingResult `json:"ping,omitempty"`
}

func (c *client) summary() *summaryEvent {
	stats := c.session.QUIC().Stats()
	e := &summaryEvent{
		stamp: stamp{Event: "summary"}, Sent: c.sent.counts(), Received: c.received.counts(),
		Dropped: c.session.DatagramsDropped(), SmoothedRTT: milliseconds(stats.SmoothedRTT), LostPackets: stats.LostPackets,
	}
	if c.pinger != nil {
		e.Ping = c.pinger.result()
	}
	return e
}

func (c *client) opened() *openEvent {
	s := c.session
	return &openEvent{
		stamp: stamp{Event: "open"}, Remote: s.QUIC().RemoteAddr().String(), Draft: int(s.Draft()), draftName: s.Draft().String(),
		Subprotocol: s.Protocol(), MaxDatagram: s.MaxDatagramSize(),
	}
}

func (e *summaryEvent) line() (string, string) {
	var b strings.Builder
	if e.Ping != nil {
		e.Ping.write(&b)
	} else {
		fmt.Fprintf(&b, "sent %v, received %v", e.Sent, e.Received)
	}
	if e.Dropped > 0 {
		fmt.Fprintf(&b, "\n%s arrived and could not be kept, as they came faster than they could be shown", count(e.Dropped, "datagram"))
	}
	return "summary", b.String()
}

func (c counts) String() string {
	return fmt.Sprintf("%s and %s with %s", count(c.Datagrams, "datagram"), count(c.Streams, "stream"), count(c.Bytes, "byte"))
}

// count writes a number of things.
func count(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

// write describes the result in one line, or two if something came back.
func (r *pingResult) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s of %d bytes sent, %d came back, %.1f %% lost", count(r.Sent, "datagram"), r.Size, r.Back, r.LossPercent)
	if r.OnWay > 0 {
		fmt.Fprintf(b, ", %d still under way at the end", r.OnWay)
	}
	if r.Twice > 0 {
		fmt.Fprintf(b, ", %d came a second time or later than after %v", r.Twice, lateAfter)
	}
	for i, d := range r.quantiles {
		separator := "  "
		if i == 0 {
			separator = "\nround trip: "
		}
		fmt.Fprintf(b, "%s%s %v", separator, pingQuantiles[i].name, d.Round(time.Microsecond))
	}
}
