package congestion

import "time"

// Sent is a packet that is being sent.
type Sent struct {
	// Now is the present moment, and Bytes the packet's size.
	Now   time.Duration
	Bytes int
	// InFlight is how many bytes were in flight before it.
	InFlight int
	// AppLimited is as in Packet.
	AppLimited bool
}

// Packet is a packet of which something is known, and how its path stood when it left.
type Packet struct {
	// SentAt is when it left, and Bytes its size.
	SentAt time.Duration
	Bytes  int

	// InFlight is how many bytes were in flight with it, and TotalDelivered and
	// TotalLost what those of Feedback were.
	InFlight                  int
	TotalDelivered, TotalLost uint64

	// Underused says that the congestion window was not full and the pacer did not
	// make the sender wait: there was nothing more to send (RFC 9002, Section 7.8).
	Underused bool
	// AppLimited says that this was so at a time within the last round trip, so that
	// a rate that is measured by the packet may be less than what the path would carry
	// (draft-ietf-ccwg-bbr, Section 4.1.1.4).
	AppLimited bool
}

// Feedback is what became known of packets of a path at once: by an ACK frame, or as some
// have taken too long.
type Feedback struct {
	// Now is the present moment.
	Now time.Duration
	// InFlight is how many bytes are in flight now, and PriorInFlight how many were
	// before. Some bytes are no longer in flight though no Feedback told so: those of probes
	// for a larger MTU that were lost, and of handshake packets when the handshake is over.
	InFlight, PriorInFlight int
	// TotalDelivered and TotalLost are how many bytes were ever acknowledged, and how
	// many were ever found lost, with those of the Feedback. What was found lost and
	// has arrived after all is in both.
	TotalDelivered, TotalLost uint64
	// LatestRTT is the latest sample of the round-trip time, MinRTT the least and
	// SmoothedRTT the average of RFC 9002, Section 5; 0 when there is none yet.
	LatestRTT, MinRTT, SmoothedRTT time.Duration

	// Acked are the packets that are acknowledged for the first time, in no order, and
	// AckedBytes is the sum of their sizes.
	Acked      []Packet
	AckedBytes int
	// Rate is what they tell of how fast the path delivers.
	Rate Rate

	// Lost are the packets that count as lost (RFC 9002, Section 6.1), in ascending
	// order, and LostBytes is the sum of their sizes.
	Lost      []Packet
	LostBytes int
	// Persistent says that they are the end of a long time in which everything was
	// lost (RFC 9002, Section 7.6).
	Persistent bool

	// Late are packets that have arrived although they were among Lost before: they
	// were only overtaken. No more is known of them by then than SentAt and Bytes. Not
	// every one is recognized: only the last 32 losses are remembered.
	Late []Packet

	// Marked is by how much the peer's count of packets marked for congestion has grown
	// (RFC 9000, Section 13.4, RFC 9002, Section 7.1), and MarkedSentAt when the largest
	// packet left that the ACK frame newly acknowledges.
	Marked       uint64
	MarkedSentAt time.Duration
}

// Rate is a sample of the rate at which a path delivers, taken from the packet that left
// last of those that an ACK frame acknowledges (draft-ietf-ccwg-bbr, Section 4.1). It is
// zero when there are none.
type Rate struct {
	// BytesPerSecond is Delivered over Interval, 0 when the interval is shorter than a
	// round trip and says nothing.
	BytesPerSecond uint64
	// Delivered is how many bytes were acknowledged within the interval.
	Delivered int
	// Interval is the longer of the time that it took to send these bytes and the time
	// that it took to have them acknowledged.
	Interval time.Duration
	// RTT is how long ago the packet was sent.
	RTT time.Duration
	// Packet is the one that the sample was taken from.
	Packet Packet
}
