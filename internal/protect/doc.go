// Package protect seals and opens QUIC packets: packet protection, header
// protection, key phases, Retry integrity and address validation tokens
// (RFC 9001, RFC 9369).
//
// A packet is sealed and opened in place. Its header comes from package wire;
// pnOffset is where the packet number begins:
//
//	pkt := wire.AppendShortHeader(buf[:0], &dst, false, false, pn, pnLen)
//	pnOffset := len(pkt) - pnLen
//	pkt = append(pkt, frames...)
//	pkt = sealer.Seal(pkt, pnOffset, pnLen, pn)
//
//	payload, pn, err := opener.Open(pkt, pnOffset, largest)
//
// None of the types may be used by two goroutines at once.
package protect
