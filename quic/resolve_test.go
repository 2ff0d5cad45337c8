package quic

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godwit-quic/godwit/internal/lookup"
)

func addrs(list ...string) (out []netip.Addr) {
	for _, s := range list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}

func TestInterleave(t *testing.T) {
	tests := []struct{ in, want []netip.Addr }{
		{addrs("::1"), addrs("::1")},
		{addrs("::1", "::2", "127.0.0.1"), addrs("::1", "127.0.0.1", "::2")},
		{addrs("127.0.0.1", "127.0.0.2", "::1", "::2", "::3"), addrs("127.0.0.1", "::1", "127.0.0.2", "::2", "::3")},
		{addrs("::ffff:127.0.0.1", "::1", "127.0.0.2"), addrs("127.0.0.1", "::1", "127.0.0.2")},
	}
	for _, tt := range tests {
		if got := interleave(tt.in); !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestReaches(t *testing.T) {
	tests := []struct {
		local, ip string
		want      bool
	}{
		{"::", "127.0.0.1", true},
		{"::", "::1", true},
		{"0.0.0.0", "127.0.0.1", true},
		{"0.0.0.0", "::1", false},
		{"127.0.0.1", "::1", false},
		{"::1", "127.0.0.1", false},
		{"::1", "::1", true},
	}
	for _, tt := range tests {
		if got := reaches(netip.MustParseAddr(tt.local), netip.MustParseAddr(tt.ip)); got != tt.want {
			t.Errorf("%s to %s: %v", tt.local, tt.ip, got)
		}
	}
}

func TestResolveNoFamily(t *testing.T) {
	if _, _, err := resolve(t.Context(), "127.0.0.1:1", netip.MustParseAddr("::1"), lookup.IPs); err == nil {
		t.Error("an IPv6 socket cannot send to IPv4")
	}
}

// What becomes of attempts that answer, fail or hang.
func TestRace(t *testing.T) {
	remotes := make([]netip.AddrPort, 3)
	for i := range remotes {
		remotes[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 443)
	}
	hang := time.Duration(-1)
	failed := errors.New("failed")
	type attempt struct {
		takes time.Duration
		err   error
	}
	tests := []struct {
		name     string
		attempts []attempt
		winner   int // -1 for the first's error
		at       time.Duration
	}{
		{"the first answers", []attempt{{10 * time.Millisecond, nil}, {0, nil}, {0, nil}}, 0, 10 * time.Millisecond},
		{"the first hangs", []attempt{{hang, nil}, {0, nil}, {0, nil}}, 1, attemptDelay},
		{"the first is slower than the second", []attempt{{time.Second, nil}, {20 * time.Millisecond, nil}, {hang, nil}}, 1, attemptDelay + 20*time.Millisecond},
		{"the first fails", []attempt{{20 * time.Millisecond, failed}, {0, nil}, {hang, nil}}, 1, 20 * time.Millisecond},
		{"all fail", []attempt{{time.Second, failed}, {0, failed}, {0, failed}}, -1, time.Second},
		{"two hang", []attempt{{hang, nil}, {hang, nil}, {0, nil}}, 2, 2 * attemptDelay},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conns := make([]*Conn, len(remotes))
				start := time.Now()
				conn, err := race(t.Context(), remotes, func(ctx context.Context, r netip.AddrPort, slow func()) (*Conn, error) {
					i := slices.Index(remotes, r)
					if len(remotes) > 1 {
						defer time.AfterFunc(delayAfter(r), slow).Stop()
					}
					if tt.attempts[i].takes == hang {
						<-ctx.Done()
						return nil, context.Cause(ctx)
					}
					select {
					case <-time.After(tt.attempts[i].takes):
					case <-ctx.Done():
						return nil, context.Cause(ctx)
					}
					if err := tt.attempts[i].err; err != nil {
						return nil, fmt.Errorf("%d: %w", i, err)
					}
					conns[i] = &Conn{}
					return conns[i], nil
				})
				if took := time.Since(start); took != tt.at {
					t.Errorf("took %v, want %v", took, tt.at)
				}
				if tt.winner < 0 {
					if !errors.Is(err, failed) || err.Error() != "0: failed" {
						t.Errorf("error %v, want the first's", err)
					}
				} else if conn == nil || conn != conns[tt.winner] {
					t.Errorf("connection %p, %v; want %d's", conn, err, tt.winner)
				}
			})
		})
	}
}

// Zones of link-local addresses are kept, for the address but not for the
// certificate, and must exist.
func TestResolveZone(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	zone := all[0].Name
	host, remotes, err := resolve(t.Context(), "[fe80::1%"+zone+"]:443", netip.MustParseAddr("::"), lookup.IPs)
	if err != nil || host != "fe80::1" || len(remotes) != 1 || remotes[0].String() != "[fe80::1%"+zone+"]:443" {
		t.Errorf("host %q, addresses %v, %v", host, remotes, err)
	}
	if _, _, err := resolve(t.Context(), "[fe80::1%nosuch0]:443", netip.MustParseAddr("::"), lookup.IPs); err == nil {
		t.Error("an unknown zone is no error")
	}
}
