package udp

import (
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

func TestSockaddr(t *testing.T) {
	z := new(zones)
	lo := z.name(1) // "lo", unless the test runs in a strange place
	tests := []struct {
		name, addr string
		family     int
		wantLen    int
		want       string // if not addr
	}{
		{"IPv4", "192.0.2.1:4433", unix.AF_INET, unix.SizeofSockaddrInet4, ""},
		{"IPv4-mapped", "[::ffff:192.0.2.1]:4433", unix.AF_INET, unix.SizeofSockaddrInet4, "192.0.2.1:4433"},
		{"IPv4 on an IPv6 socket", "192.0.2.1:65535", unix.AF_INET6, unix.SizeofSockaddrInet6, ""},
		{"IPv6", "[2001:db8::1]:1", unix.AF_INET6, unix.SizeofSockaddrInet6, ""},
		{"link-local by name", "[fe80::1%" + lo + "]:1", unix.AF_INET6, unix.SizeofSockaddrInet6, ""},
		{"link-local by index", "[fe80::1%1]:1", unix.AF_INET6, unix.SizeofSockaddrInet6, "[fe80::1%" + lo + "]:1"},
		{"link-local, no such interface", "[fe80::1%none]:1", unix.AF_INET6, unix.SizeofSockaddrInet6, "[fe80::1]:1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var sa sockaddr
			if got := sa.put(netip.MustParseAddrPort(tt.addr), tt.family, z); got != tt.wantLen {
				t.Fatalf("put = %d, want %d", got, tt.wantLen)
			}
			want := tt.want
			if want == "" {
				want = tt.addr
			}
			if got := sa.get(z); got.String() != want {
				t.Errorf("get = %v, want %s", got, want)
			}
		})
	}
}

func TestSockaddrDoesNotFit(t *testing.T) {
	var sa sockaddr
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		if got := sa.put(netip.AddrPort{}, family, new(zones)); got != 0 {
			t.Errorf("put of no address in family %d = %d, want 0", family, got)
		}
	}
	if got := sa.put(netip.MustParseAddrPort("[::1]:1"), unix.AF_INET, new(zones)); got != 0 {
		t.Errorf("put of IPv6 on an IPv4 socket = %d, want 0", got)
	}
	sa = sockaddr{}
	if got := sa.get(new(zones)); got.IsValid() {
		t.Errorf("get of no family = %v", got)
	}
}

func FuzzSockaddr(f *testing.F) {
	var sa sockaddr
	for _, a := range []string{"192.0.2.1:4433", "[2001:db8::1]:4433", "[fe80::1%1]:4433"} {
		sa.put(netip.MustParseAddrPort(a), unix.AF_INET6, new(zones))
		f.Add(sa[:])
	}
	z := new(zones)
	f.Fuzz(func(t *testing.T, b []byte) {
		var sa, back sockaddr
		copy(sa[:], b)
		a := sa.get(z)
		if !a.IsValid() {
			return
		}
		if a.Addr().Is4In6() {
			t.Errorf("get = %v in its IPv4-mapped form", a)
		}
		if back.put(a, unix.AF_INET6, z) == 0 {
			t.Fatalf("%v cannot be sent to", a)
		}
		if got := back.get(z); got != a {
			t.Errorf("%v became %v", a, got)
		}
	})
}
