package lookup

import (
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
)

// loopback returns the machine's loopback interface.
func loopback(t *testing.T) net.Interface {
	t.Helper()
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(i net.Interface) bool { return i.Flags&net.FlagLoopback != 0 })
	if i < 0 {
		t.Fatal("there is no loopback interface")
	}
	return all[i]
}

// Zones are kept where they mean something, by the interface's name, and must exist.
func TestIPs(t *testing.T) {
	lo := loopback(t)
	for _, tt := range []struct{ host, want string }{
		{"127.0.0.1", "127.0.0.1"},
		{"::ffff:127.0.0.1", "127.0.0.1"},
		{"::1", "::1"},
		{"::1%" + lo.Name, "::1"},
		{"fe80::1", "fe80::1"},
		{"fe80::1%" + lo.Name, "fe80::1%" + lo.Name},
		{"fe80::1%" + strconv.Itoa(lo.Index), "fe80::1%" + lo.Name},
	} {
		got, err := IPs(t.Context(), tt.host)
		if err != nil || !slices.Equal(got, []netip.Addr{netip.MustParseAddr(tt.want)}) {
			t.Errorf("%s: %v, %v, want %s", tt.host, got, err, tt.want)
		}
	}
	for _, host := range []string{"fe80::1%nosuch0", "::1%nosuch0", "fe80::1%99999"} {
		if got, err := IPs(t.Context(), host); err == nil {
			t.Errorf("%s: %v, want an error", host, got)
		}
	}
}
