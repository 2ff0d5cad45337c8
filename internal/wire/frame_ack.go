package wire

import "iter"

// ECNCounts is how many packets of a space arrived with each ECN codepoint
// (RFC 9000, Section 19.3.2).
type ECNCounts struct {
	ECT0, ECT1, CE uint64
}

// Ack is an ACK frame (RFC 9000, Section 19.3). Its ranges are decoded only
// when they are walked.
type Ack struct {
	Largest PacketNumber
	Delay   uint64 // as sent: microseconds >> the sender's ack_delay_exponent
	ECN     bool   // Counts is present
	Counts  ECNCounts

	first  uint64 // packets below Largest in the first range
	count  uint64 // ranges after the first
	ranges []byte // their gaps and lengths; aliases the packet
}

// ConsumeAck reads an ACK frame whose type is t and checks all of it: no range
// may reach below packet 0.
func ConsumeAck(t FrameType, b []byte, f *Ack) int {
	r := reader{b: b}
	largest := r.varint()
	f.Largest = PacketNumber(largest)
	f.Delay = r.varint()
	f.count = r.varint()
	f.first = r.varint()
	r.check(f.first <= largest)

	start, smallest := r.off, largest-f.first
	for i := uint64(0); i < f.count && r.off >= 0; i++ {
		gap, length := r.varint(), r.varint()
		// A sum of two 62-bit integers and 2 does not overflow.
		r.check(gap+length+2 <= smallest)
		smallest -= gap + length + 2
	}
	if r.off < 0 {
		return -1
	}
	f.ranges = b[start:r.off]

	f.ECN = t == FrameAckECN
	f.Counts = ECNCounts{}
	if f.ECN {
		f.Counts = ECNCounts{ECT0: r.varint(), ECT1: r.varint(), CE: r.varint()}
	}
	return r.off
}

// Ranges walks the acknowledged packets in descending order. The packet must
// not be overwritten meanwhile.
func (f *Ack) Ranges() iter.Seq[PacketRange] {
	return func(yield func(PacketRange) bool) { f.walk(yield) }
}

func (f *Ack) walk(yield func(PacketRange) bool) {
	rng := PacketRange{Smallest: f.Largest - PacketNumber(f.first), Largest: f.Largest}
	r := reader{b: f.ranges}
	for i := f.count; yield(rng) && i > 0; i-- {
		rng.Largest = rng.Smallest - PacketNumber(r.varint()) - 2
		rng.Smallest = rng.Largest - PacketNumber(r.varint())
	}
}

// AppendAck appends an ACK frame of at most max bytes that acknowledges as
// many of ranges, which are in descending order and do not touch, as fit. It
// returns b unchanged when there are no ranges or max is too small for the
// first. delay is in units of the sender's ack_delay_exponent. With ecn the
// frame carries the counts.
func AppendAck(b []byte, max int, delay uint64, ranges []PacketRange, ecn *ECNCounts) []byte {
	n := fitRanges(max, delay, ranges, ecn)
	if n == 0 {
		return b
	}
	t := FrameAck
	if ecn != nil {
		t = FrameAckECN
	}
	first := ranges[0]
	b = append(b, byte(t))
	b = AppendVarint(b, uint64(first.Largest))
	b = AppendVarint(b, delay)
	b = AppendVarint(b, uint64(n-1))
	b = AppendVarint(b, uint64(first.Largest-first.Smallest))
	for i := 1; i < n; i++ {
		b = AppendVarint(b, uint64(ranges[i-1].Smallest-ranges[i].Largest-2))
		b = AppendVarint(b, uint64(ranges[i].Largest-ranges[i].Smallest))
	}
	if ecn != nil {
		b = AppendVarint(b, ecn.ECT0)
		b = AppendVarint(b, ecn.ECT1)
		b = AppendVarint(b, ecn.CE)
	}
	return b
}

// fitRanges returns how many of ranges fit into max bytes of ACK frame.
func fitRanges(max int, delay uint64, ranges []PacketRange, ecn *ECNCounts) int {
	if len(ranges) == 0 {
		return 0
	}
	first := ranges[0]
	// The count is taken to be as long as that of all ranges.
	size := 1 + SizeVarint(uint64(first.Largest)) + SizeVarint(delay) +
		SizeVarint(uint64(len(ranges)-1)) + SizeVarint(uint64(first.Largest-first.Smallest))
	if ecn != nil {
		size += SizeVarint(ecn.ECT0) + SizeVarint(ecn.ECT1) + SizeVarint(ecn.CE)
	}
	if size > max {
		return 0
	}
	n := 1
	for ; n < len(ranges); n++ {
		size += SizeVarint(uint64(ranges[n-1].Smallest-ranges[n].Largest-2)) +
			SizeVarint(uint64(ranges[n].Largest-ranges[n].Smallest))
		if size > max {
			break
		}
	}
	return n
}
