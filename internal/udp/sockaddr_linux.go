package udp

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// sockaddr is a struct sockaddr_in or sockaddr_in6 as the kernel lays it out,
// which is the same on all architectures but for the byte order of the family
// and the scope:
//
//	sockaddr_in   family 2, port 2, address 4, padding 8
//	sockaddr_in6  family 2, port 2, flow info 4, address 16, scope 4
type sockaddr [unix.SizeofSockaddrInet6]byte

// put stores a for a socket of the given family, IPv4 addresses in IPv4-mapped
// form if that is AF_INET6, and returns the length, or 0 if a does not fit.
func (sa *sockaddr) put(a netip.AddrPort, family int, zones *zones) int {
	*sa = sockaddr{}
	binary.NativeEndian.PutUint16(sa[0:], uint16(family))
	binary.BigEndian.PutUint16(sa[2:], a.Port())
	ip := a.Addr()
	switch {
	case !ip.IsValid():
		return 0
	case family == unix.AF_INET6:
		b := ip.As16()
		copy(sa[8:], b[:])
		if zone := ip.Zone(); zone != "" {
			binary.NativeEndian.PutUint32(sa[24:], zones.index(zone))
		}
		return unix.SizeofSockaddrInet6
	case ip.Is4() || ip.Is4In6():
		b := ip.Unmap().As4()
		copy(sa[4:], b[:])
		return unix.SizeofSockaddrInet4
	}
	return 0
}

// get returns the address that the kernel stored, invalid if it is of another
// family than IP.
func (sa *sockaddr) get(zones *zones) netip.AddrPort {
	port := binary.BigEndian.Uint16(sa[2:])
	switch binary.NativeEndian.Uint16(sa[0:]) {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(sa[4:8])), port)
	case unix.AF_INET6:
		ip := netip.AddrFrom16([16]byte(sa[8:24])).Unmap()
		if scope := binary.NativeEndian.Uint32(sa[24:]); scope != 0 && ip.Is6() {
			ip = ip.WithZone(zones.name(scope))
		}
		return netip.AddrPortFrom(ip, port)
	}
	return netip.AddrPort{}
}

// zones translates between the interface indexes of the kernel's link-local
// addresses and the names in package net's, and remembers, since asking costs
// system calls. It is as large as the machine has had interfaces.
type zones struct {
	names   map[uint32]string
	indexes map[string]uint32
}

// name returns the name of an interface, or its index in decimal if it has gone.
func (z *zones) name(index uint32) string {
	if name, ok := z.names[index]; ok {
		return name
	}
	name := strconv.FormatUint(uint64(index), 10)
	if ifi, err := net.InterfaceByIndex(int(index)); err == nil {
		name = ifi.Name
	}
	z.remember(name, index)
	return name
}

// index returns the index of a zone, a name or a decimal number, or 0, which
// leaves the choice to the kernel, if there is no such interface.
func (z *zones) index(zone string) uint32 {
	if index, ok := z.indexes[zone]; ok {
		return index
	}
	if n, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(n)
	}
	ifi, err := net.InterfaceByName(zone)
	if err != nil {
		return 0
	}
	z.remember(zone, uint32(ifi.Index))
	return uint32(ifi.Index)
}

func (z *zones) remember(name string, index uint32) {
	if z.names == nil {
		z.names, z.indexes = make(map[uint32]string), make(map[string]uint32)
	}
	z.names[index], z.indexes[name] = name, index
}
