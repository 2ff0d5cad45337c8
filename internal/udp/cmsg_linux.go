package udp

import (
	"encoding/binary"
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// controlSpace is room for all control messages of a call: in bytes, for
// receiving UDP_GRO, packet info, TOS and traffic class, where the kernel adds
// both to IPv4 packets on an IPv6 socket; for sending, one fewer.
var controlSpace = unix.CmsgSpace(4) + unix.CmsgSpace(unix.SizeofInet6Pktinfo) +
	unix.CmsgSpace(unix.SizeofInet4Pktinfo) + 2*unix.CmsgSpace(4)

// appendControl appends the header of a control message and size zero bytes of
// data, which it returns for the caller to fill. b has the room and is aligned.
func appendControl(b []byte, level, typ int32, size int) (control, data []byte) {
	start := len(b)
	b = b[:start+unix.CmsgSpace(size)]
	clear(b[start:])
	h := (*unix.Cmsghdr)(unsafe.Pointer(&b[start]))
	h.Level, h.Type = level, typ
	h.SetLen(unix.CmsgLen(size))
	return b, b[start+unix.CmsgLen(0):][:size]
}

// appendSegment asks the kernel to cut the payload into segments (UDP_SEGMENT).
func appendSegment(b []byte, segment int) []byte {
	b, data := appendControl(b, unix.SOL_UDP, unix.UDP_SEGMENT, 2)
	binary.NativeEndian.PutUint16(data, uint16(segment))
	return b
}

// appendSource sets the source address. An IPv4 packet takes IP_PKTINFO, even
// from an IPv6 socket.
func appendSource(b []byte, from netip.Addr) []byte {
	if from.Is4() {
		b, data := appendControl(b, unix.SOL_IP, unix.IP_PKTINFO, unix.SizeofInet4Pktinfo)
		ip := from.As4()
		copy(data[4:], ip[:]) // in_pktinfo: index 4, ipi_spec_dst 4, ipi_addr 4
		return b
	}
	b, data := appendControl(b, unix.SOL_IPV6, unix.IPV6_PKTINFO, unix.SizeofInet6Pktinfo)
	ip := from.As16()
	copy(data, ip[:]) // in6_pktinfo: address 16, index 4
	return b
}

// appendECN sets the ECN field of the packets, which go to an address of IPv4 if
// v4 is set.
func appendECN(b []byte, v4 bool, ecn uint8) []byte {
	level, typ := int32(unix.SOL_IPV6), int32(unix.IPV6_TCLASS)
	if v4 {
		level, typ = unix.SOL_IP, unix.IP_TOS
	}
	b, data := appendControl(b, level, typ, 4)
	binary.NativeEndian.PutUint32(data, uint32(ecn))
	return b
}

// parseControl fills in what the control messages of a received slot tell and
// leaves the rest of m alone. Messages that are malformed or not known here are
// passed over.
func parseControl(b []byte, m *Message) {
	for len(b) >= unix.SizeofCmsghdr {
		h, data, rest, err := unix.ParseOneSocketControlMessage(b)
		if err != nil {
			return
		}
		b = rest
		switch {
		case h.Level == unix.SOL_UDP && h.Type == unix.UDP_GRO && len(data) >= 4:
			m.Segment = int(binary.NativeEndian.Uint32(data))
		case h.Level == unix.SOL_IP && h.Type == unix.IP_PKTINFO && len(data) >= unix.SizeofInet4Pktinfo:
			m.IfIndex = binary.NativeEndian.Uint32(data)
			// Not ipi_addr: for a broadcast that is no address to answer from.
			m.Local = netip.AddrFrom4([4]byte(data[4:8]))
		case h.Level == unix.SOL_IPV6 && h.Type == unix.IPV6_PKTINFO && len(data) >= unix.SizeofInet6Pktinfo:
			m.Local = netip.AddrFrom16([16]byte(data)).Unmap()
			m.IfIndex = binary.NativeEndian.Uint32(data[16:])
		case h.Level == unix.SOL_IP && h.Type == unix.IP_TOS && len(data) >= 1:
			m.ECN = data[0] & 3
		case h.Level == unix.SOL_IPV6 && h.Type == unix.IPV6_TCLASS && len(data) >= 4:
			m.ECN = uint8(binary.NativeEndian.Uint32(data)) & 3
		}
	}
}
