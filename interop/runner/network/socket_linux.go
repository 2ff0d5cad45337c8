package network

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// socket is a UDP socket of IPv4 or IPv6 that passes the ECN codepoint on.
type socket struct {
	conn *net.UDPConn
	six  bool
}

// socketBuffer is asked of the kernel, in bytes, so that only links lose datagrams.
const socketBuffer = 4 << 20

// prepare makes the kernel tell of ECN.
func (s *socket) prepare() error {
	_ = s.conn.SetReadBuffer(socketBuffer) // the kernel may give less
	_ = s.conn.SetWriteBuffer(socketBuffer)
	raw, err := s.conn.SyscallConn()
	if err != nil {
		return err
	}
	level, name, _ := s.options()
	var set error
	if err := raw.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), level, name, 1) }); err != nil {
		return err
	}
	return set
}

// options returns the socket option that has the codepoint received, and the name of the
// control message with it.
func (s *socket) options() (level, receive, message int) {
	if s.six {
		return syscall.IPPROTO_IPV6, syscall.IPV6_RECVTCLASS, syscall.IPV6_TCLASS
	}
	return syscall.IPPROTO_IP, syscall.IP_RECVTOS, syscall.IP_TOS
}

func (s *socket) addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (s *socket) close() { _ = s.conn.Close() }

// maxDatagram is the largest that UDP carries, in bytes.
const maxDatagram = 65535

// ecnBits are those of ECN in a traffic class.
const ecnBits = 3

// receive calls handle with what arrives, which is handle's until it returns, until the
// socket is closed.
func (s *socket) receive(handle func(b []byte, from netip.AddrPort, ecn byte)) {
	buf, control := make([]byte, maxDatagram), make([]byte, 64)
	for {
		n, m, _, from, err := s.conn.ReadMsgUDPAddrPort(buf, control)
		if err != nil {
			if isClosed(err) {
				return
			}
			continue // what ICMP says of a datagram before
		}
		handle(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), s.codepoint(control[:m]))
	}
}

// codepoint finds the ECN codepoint in control messages.
func (s *socket) codepoint(control []byte) byte {
	messages, err := syscall.ParseSocketControlMessage(control)
	if err != nil {
		return 0
	}
	level, _, name := s.options()
	for _, m := range messages {
		switch {
		case int(m.Header.Level) != level || int(m.Header.Type) != name:
		case len(m.Data) >= 4: // IPv6 has an int
			return byte(binary.NativeEndian.Uint32(m.Data)) & ecnBits
		case len(m.Data) > 0:
			return m.Data[0] & ecnBits
		}
	}
	return 0
}

// send sends a datagram with an ECN codepoint; what the kernel does not take is lost.
func (s *socket) send(b []byte, to netip.AddrPort, ecn byte) {
	level, _, name := s.options()
	control := make([]byte, syscall.CmsgSpace(4))
	h := (*syscall.Cmsghdr)(unsafe.Pointer(&control[0]))
	h.Level, h.Type = int32(level), int32(name)
	h.SetLen(syscall.CmsgLen(4))
	*(*int32)(unsafe.Pointer(&control[syscall.CmsgLen(0)])) = int32(ecn)
	_, _, _ = s.conn.WriteMsgUDPAddrPort(b, control, to)
}
