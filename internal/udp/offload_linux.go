package udp

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// configure sets the options of a fresh socket and notes in count which
// facilities the kernel has. It returns the socket's address family.
func configure(k kernel, fd uintptr, cfg Config, count *counters) (family int, err error) {
	family, err = k.getOption(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return 0, fmt.Errorf("SO_DOMAIN: %w", err)
	}
	set := func(level, name, value int) bool { return k.setOption(fd, level, name, value) == nil }
	v6 := family == unix.AF_INET6

	// DF is set and the kernel's own idea of the path MTU, which forged ICMP
	// messages can lower, is ignored (RFC 9000, Section 14).
	whole := set(unix.SOL_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE)
	if v6 {
		whole = set(unix.SOL_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE)
	}
	if !whole {
		return 0, errors.New("the system cannot be kept from fragmenting datagrams")
	}

	// Packet info is a help where it exists and never a need. The options of
	// SOL_IP concern IPv4 packets on an IPv6 socket, too.
	if v6 {
		set(unix.SOL_IPV6, unix.IPV6_RECVPKTINFO, 1)
	} else {
		set(unix.SOL_IP, unix.IP_PKTINFO, 1)
	}
	if !cfg.DisableECN {
		count.ecn = set(unix.SOL_IP, unix.IP_RECVTOS, 1)
		if v6 {
			count.ecn = set(unix.SOL_IPV6, unix.IPV6_RECVTCLASS, 1)
		}
	}
	count.gro = setGRO(k, fd, !cfg.DisableGRO)
	if !cfg.DisableGSO {
		_, err := k.getOption(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
		count.gso.Store(err == nil)
	}
	count.readBuffer = growKernelBuffer(k, fd, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE, cfg.ReadBuffer)
	count.writeBuffer = growKernelBuffer(k, fd, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE, cfg.WriteBuffer)
	return family, nil
}

// setGRO has the kernel give trains or not, and reports whether it will. A socket that was
// somebody else's may have the option, and trains would be larger than a slot for one datagram.
func setGRO(k kernel, fd uintptr, on bool) bool {
	value := 0
	if on {
		value = 1
	}
	return k.setOption(fd, unix.SOL_UDP, unix.UDP_GRO, value) == nil && on
}

// growKernelBuffer raises a buffer to want bytes, beyond the system's limit if
// the process has CAP_NET_ADMIN, and returns what it has become. The kernel
// reports twice what one asks for, the other half being for its bookkeeping.
func growKernelBuffer(k kernel, fd uintptr, plain, force, want int) int {
	get := func() int {
		n, err := k.getOption(fd, unix.SOL_SOCKET, plain)
		if err != nil {
			return 0
		}
		return n / 2
	}
	return growBuffer(want, func(size int) error {
		if k.setOption(fd, unix.SOL_SOCKET, force, size) == nil {
			return nil
		}
		return k.setOption(fd, unix.SOL_SOCKET, plain, size)
	}, get)
}

// bufferRemedy says how to make the kernel grant such buffers.
func bufferRemedy(read, write int) string {
	return fmt.Sprintf("sysctl -w net.core.rmem_max=%d net.core.wmem_max=%d", read, write)
}
