package udp

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// control returns one control message as the kernel writes it.
func control(level, typ int32, data ...byte) []byte {
	b, d := appendControl(make([]byte, 0, 256), level, typ, len(data))
	copy(d, data)
	return b
}

func native32(n uint32) []byte { return binary.NativeEndian.AppendUint32(nil, n) }

func TestParseControl(t *testing.T) {
	gro := control(unix.SOL_UDP, unix.UDP_GRO, native32(1452)...)
	// in_pktinfo: the index, ipi_spec_dst, ipi_addr.
	info4 := control(unix.SOL_IP, unix.IP_PKTINFO, append(native32(7), 192, 0, 2, 1, 192, 0, 2, 255)...)
	ip6 := netip.MustParseAddr("2001:db8::1").As16()
	info6 := control(unix.SOL_IPV6, unix.IPV6_PKTINFO, append(ip6[:], native32(8)...)...)
	mapped := netip.MustParseAddr("::ffff:192.0.2.9").As16()
	info6mapped := control(unix.SOL_IPV6, unix.IPV6_PKTINFO, append(mapped[:], native32(9)...)...)
	tos := control(unix.SOL_IP, unix.IP_TOS, 0xb8|3)
	tclass := control(unix.SOL_IPV6, unix.IPV6_TCLASS, native32(0xb8|2)...)
	unknown := control(unix.SOL_SOCKET, unix.SCM_TIMESTAMP, make([]byte, 16)...)
	join := func(parts ...[]byte) []byte {
		var b []byte
		for _, p := range parts {
			b = append(b, p...)
		}
		return b
	}
	addr := netip.MustParseAddr
	tests := []struct {
		name string
		ctrl []byte
		want Message
	}{
		{"nothing", nil, Message{Segment: 99}},
		{"GRO", gro, Message{Segment: 1452}},
		{"IPv4", join(info4, tos), Message{Segment: 99, Local: addr("192.0.2.1"), IfIndex: 7, ECN: 3}},
		{"IPv6", join(info6, tclass, gro), Message{Segment: 1452, Local: addr("2001:db8::1"), IfIndex: 8, ECN: 2}},
		{"IPv4 on an IPv6 socket", join(info6mapped, tos), Message{Segment: 99, Local: addr("192.0.2.9"), IfIndex: 9, ECN: 3}},
		{"unknown among known", join(unknown, gro, unknown, tos), Message{Segment: 1452, ECN: 3}},
		{"cut off", join(tos, gro)[:len(tos)+unix.SizeofCmsghdr-1], Message{Segment: 99, ECN: 3}},
		{"too long for its data", join(tos, gro)[:len(tos)+unix.SizeofCmsghdr+1], Message{Segment: 99, ECN: 3}},
		{"short data", control(unix.SOL_UDP, unix.UDP_GRO, 1), Message{Segment: 99}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := Message{Segment: 99}
			parseControl(tt.ctrl, &m)
			if m.Segment != tt.want.Segment || m.Local != tt.want.Local || m.IfIndex != tt.want.IfIndex || m.ECN != tt.want.ECN {
				t.Errorf("got %+v, want %+v", m, tt.want)
			}
		})
	}
}

// What is appended for a send fits the room and has the kernel's layout, as its
// own reader sees it.
func TestAppendControl(t *testing.T) {
	for _, from := range []string{"192.0.2.1", "2001:db8::1"} {
		ip := netip.MustParseAddr(from)
		b := make([]byte, 0, controlSpace)
		b = appendSegment(b, 1452)
		b = appendSource(b, ip)
		b = appendECN(b, ip.Is4(), 2)
		msgs, err := unix.ParseSocketControlMessage(b)
		if err != nil || len(msgs) != 3 {
			t.Fatalf("%d messages, %v; want 3", len(msgs), err)
		}
		if h := msgs[0].Header; h.Level != unix.SOL_UDP || h.Type != unix.UDP_SEGMENT ||
			binary.NativeEndian.Uint16(msgs[0].Data) != 1452 || len(msgs[0].Data) != 2 {
			t.Errorf("segment: %+v", msgs[0])
		}
		var m Message
		parseControl(b, &m)
		if m.Local != ip || m.ECN != 2 || m.IfIndex != 0 {
			t.Errorf("read back %v, ECN %d, interface %d", m.Local, m.ECN, m.IfIndex)
		}
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add(control(unix.SOL_UDP, unix.UDP_GRO, native32(1452)...))
	f.Add(control(unix.SOL_IP, unix.IP_PKTINFO, make([]byte, 12)...))
	f.Add(control(unix.SOL_IPV6, unix.IPV6_PKTINFO, make([]byte, 20)...))
	f.Add(control(unix.SOL_IP, unix.IP_TOS, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		// The kernel's buffers are aligned, and bounded as in a receiver.
		aligned := append(make([]byte, 0, 4096), b...)
		m := Message{Segment: 1200}
		parseControl(aligned[:len(aligned):len(aligned)], &m)
		if m.ECN > 3 {
			t.Errorf("ECN = %d", m.ECN)
		}
		if m.Local.Is4In6() {
			t.Errorf("Local %v is in its IPv4-mapped form", m.Local)
		}
	})
}
