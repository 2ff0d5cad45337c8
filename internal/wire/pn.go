package wire

// PacketNumber numbers the packets of one packet number space, from 0 to
// MaxVarint (RFC 9000, Section 12.3).
type PacketNumber int64

// NoPacket stands for "none yet"; it is one less than the first number.
const NoPacket PacketNumber = -1

// PacketRange is the packets from Smallest to Largest, both included.
type PacketRange struct {
	Smallest, Largest PacketNumber
}

// PacketNumberLen returns how many bytes, 1 to 4, of pn must be sent so that a
// peer that has acknowledged largestAcked (or NoPacket) recovers it: enough
// for more than twice the numbers in between (RFC 9000, Appendix A.2).
func PacketNumberLen(pn, largestAcked PacketNumber) int {
	switch unacked := pn - largestAcked; {
	case unacked < 1<<7:
		return 1
	case unacked < 1<<15:
		return 2
	case unacked < 1<<23:
		return 3
	}
	return 4
}

// DecodePacketNumber recovers the packet number whose low pnLen bytes are
// truncated: the candidate closest to the one after largest, which is the
// largest number successfully processed in the space so far, or NoPacket
// (RFC 9000, Appendix A.3). The result is never over MaxVarint.
func DecodePacketNumber(largest PacketNumber, truncated uint64, pnLen int) PacketNumber {
	expected := largest + 1
	window := PacketNumber(1) << (8 * pnLen)
	candidate := expected&^(window-1) | PacketNumber(truncated)
	switch half := window / 2; {
	case candidate <= expected-half && candidate < 1<<62-window:
		return candidate + window
	case (candidate > expected+half || candidate > MaxVarint) && candidate >= window:
		return candidate - window
	}
	return candidate
}

// appendPacketNumber appends the low pnLen bytes of pn.
func appendPacketNumber(b []byte, pn PacketNumber, pnLen int) []byte {
	switch pnLen {
	case 1:
		return append(b, byte(pn))
	case 2:
		return append(b, byte(pn>>8), byte(pn))
	case 3:
		return append(b, byte(pn>>16), byte(pn>>8), byte(pn))
	}
	return append(b, byte(pn>>24), byte(pn>>16), byte(pn>>8), byte(pn))
}
