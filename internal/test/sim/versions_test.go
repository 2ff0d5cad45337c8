package sim

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/wire"
)

// first notes the version of the first packet that passes to the server.
type first struct {
	chance
	version wire.Version
}

// Pass implements Node.
func (n *first) Pass(now monotime.Time, dir Direction, p Packet, deliver func(monotime.Time, Packet)) {
	if inv, ok := wire.ParseInvariant(p.Data, 8); ok && dir == ToServer && n.version == 0 {
		n.version = inv.Version
	}
	deliver(now, p)
}

// Every combination of what the sides have ends with the version that the client
// prefers of those, and a round trip more only if the server does not know the one that
// the client began with.
func TestVersions(t *testing.T) {
	const v1, v2 = wire.Version1, wire.Version2
	const rtt = 20 * time.Millisecond
	for _, tt := range []struct {
		name           string
		client, server engine.Config
		first, want    wire.Version
		extra          int // round trips
	}{
		{"by default", engine.Config{}, engine.Config{}, v1, v1, 0},
		{"changed to version 2", engine.Config{Versions: newest}, engine.Config{}, v1, v2, 0},
		{"changed to version 1", engine.Config{OriginalVersion: v2}, engine.Config{}, v2, v1, 0},
		{"version 2 at once", engine.Config{Versions: newest, OriginalVersion: v2}, engine.Config{}, v2, v2, 0},
		{"version 2 alone", engine.Config{Versions: []wire.Version{v2}}, engine.Config{}, v2, v2, 0},
		{"the server has no version 2", engine.Config{Versions: newest}, engine.Config{Versions: []wire.Version{v1}}, v1, v1, 0},
		{"it has not, and is asked for it", engine.Config{Versions: newest, OriginalVersion: v2}, engine.Config{Versions: []wire.Version{v1}}, v2, v1, 1},
		{"it has no version 1", engine.Config{}, engine.Config{Versions: []wire.Version{v2}}, v1, v2, 1},
	} {
		for _, retry := range []bool{false, true} {
			seen := &first{}
			r := Run{
				Nodes: []Node{&Delay{RTT: rtt}, seen}, Work: Work{Streams: 1, Upload: 1000, Download: 1000},
				Client: &tt.client, Server: &tt.server, RequireRetry: retry,
			}
			if err := r.Do(); err != nil {
				t.Errorf("%s, Retry %v: %v", tt.name, retry, err)
				continue
			}
			c, s := r.ClientConn().Stats().Version, r.ServerConn().Stats().Version
			if seen.version != tt.first || c != tt.want || s != tt.want {
				t.Errorf("%s, Retry %v: began with %v, then %v and %v", tt.name, retry, seen.version, c, s)
			}
			trips := 1 + tt.extra
			if retry {
				trips++
			}
			if got := r.Handshake(); got != time.Duration(trips)*rtt {
				t.Errorf("%s, Retry %v: the handshake took %v, want %d round trips", tt.name, retry, got, trips)
			}
		}
	}
}
