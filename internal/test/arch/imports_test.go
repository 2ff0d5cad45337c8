package arch

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// watched are the packages of the standard library that say on which floor one is: the
// network, the system, waiting, locks and time.
var watched = []string{"net", "net/http", "os", "context", "sync", "time"}

// may has a row for every package of the module: the packages of the module, those of
// others, and those watched that it may import. Imports point down only.
var may = map[string]string{
	// What has no state, or only its own.
	"internal/varint":    "",
	"internal/monotime":  "time",
	"internal/fifo":      "",
	"internal/wire":      "internal/varint time",
	"internal/protect":   "internal/protect/gcm internal/varint internal/wire time golang.org/x/crypto",
	"quic/congestion":    "time",
	"internal/recovery":  "quic/congestion internal/monotime internal/wire time",
	"internal/connid":    "internal/wire golang.org/x/net",
	"internal/streambuf": "sync",
	"internal/path":      "quic/congestion internal/connid internal/monotime internal/recovery internal/wire time",
	"internal/engine": "quic/congestion internal/connid internal/monotime internal/path internal/protect " +
		"internal/recovery internal/streambuf internal/varint internal/wire quic/quictrace time",
	"internal/protect/gcm": "golang.org/x/sys", // AES-GCM in assembly
	"internal/qpack":       "internal/varint sync",
	"internal/h3":          "internal/fifo internal/monotime internal/qpack internal/varint internal/wire quic/quictrace sync time",
	"internal/wt":          "internal/fifo internal/h3 internal/monotime internal/varint internal/wire time",

	// Sockets, loops, and what they need.
	"internal/bounded":   "time",
	"internal/queue":     "internal/fifo context sync",
	"internal/asynclog":  "context sync time",
	"internal/lookup":    "context net",
	"internal/dialtrace": "context",
	"internal/devcert":   "net os time",
	"internal/histogram": "time",
	"internal/profiling": "os",
	"internal/udp":       "context net os sync time golang.org/x/net golang.org/x/sys",
	"internal/admission": "internal/engine sync time",
	"internal/handshake": "internal/engine internal/protect internal/wire golang.org/x/crypto context sync time",
	"internal/loop": "internal/admission internal/connid internal/engine internal/monotime internal/path internal/streambuf " +
		"internal/udp internal/wire quic/quictrace net os sync time",

	"internal/relay": "internal/engine internal/path net os golang.org/x/sys",

	"internal/hosted": "internal/loop",
	"internal/face":   "internal/engine internal/handshake internal/loop internal/monotime internal/wire context os sync time",

	// The faces.
	"quic": "quic/congestion internal/admission internal/asynclog internal/connid internal/dialtrace internal/engine " +
		"internal/bounded internal/face internal/handshake internal/hosted internal/lookup internal/loop internal/monotime internal/path internal/queue internal/relay internal/streambuf golang.org/x/sys " +
		"internal/test/quicmem internal/udp internal/wire quic/quictrace context net os sync time",
	"quic/event":       "quic internal/engine internal/face internal/loop internal/monotime internal/wire context time",
	"quic/quiclb":      "quic internal/wire",
	"quic/quictrace":   "net time",
	"quic/quictest":    "internal/test/memnet internal/udp net os sync time",
	"quic/qlog":        "internal/asynclog internal/wire quic/quictrace net os sync time",
	"internal/h3event": "quic/event internal/h3 internal/monotime",
	"internal/h3ext":   "quic quic/event internal/h3 context net/http time",
	"http3": "quic quic/event internal/admission internal/asynclog internal/devcert internal/dialtrace internal/h3 internal/h3event internal/h3ext internal/bounded internal/lookup internal/monotime " +
		"internal/qpack internal/queue internal/varint internal/wire context net net/http os sync time",
	"http3/http3test": "http3 quic quic/quictest internal/devcert context net net/http sync time",
	"webtransport": "http3 quic quic/event internal/h3 internal/h3ext internal/monotime internal/wt " +
		"context net net/http os sync time",

	// What other languages use.
	"bindings/port": "quic/congestion quic/qlog quic/quictrace quic quic/event internal/devcert internal/fifo internal/h3 internal/h3event internal/hosted " +
		"internal/monotime internal/qpack internal/wire internal/wt " +
		"context net os sync time golang.org/x/sys",
	"bindings/c/libgodwit": "bindings/port os sync time",
	"bindings/c":           "bindings/c/libgodwit",
	"bindings/js":          "",
	"bindings/js/addon":    "bindings/c/libgodwit",

	"bindings/js/internal/pack": "internal/test/jspeer internal/test/peertest context os",
	"bindings/js/host":          "bindings/port os time golang.org/x/sys",
	"bindings/js/cmd/pack":      "bindings/js/internal/pack context os",

	// Programs.
	"cmd/godwit": "http3 quic quic/qlog quic/quictrace webtransport internal/devcert internal/profiling cmd/godwit/internal/client " +
		"cmd/godwit/internal/cookies cmd/godwit/internal/demo cmd/godwit/internal/load cmd/godwit/internal/perf cmd/godwit/internal/site cmd/godwit/internal/terminal cmd/godwit/internal/wtclient " +
		"context net net/http os sync time github.com/spf13/cobra github.com/spf13/pflag " +
		"github.com/vbauerster/mpb golang.org/x/term github.com/andybalholm/brotli github.com/klauspost/compress",
	"cmd/godwit/internal/client":   "http3 quic context net net/http sync time",
	"cmd/godwit/internal/cookies":  "net/http os sync time golang.org/x/net",
	"cmd/godwit/internal/cputime":  "time",
	"cmd/godwit/internal/site":     "net/http os time github.com/andybalholm/brotli github.com/klauspost/compress",
	"cmd/godwit/internal/terminal": "",
	"cmd/godwit/internal/demo":     "http3 quic webtransport context net net/http os sync time",
	"cmd/godwit/internal/load":     "http3 quic internal/histogram cmd/godwit/internal/client cmd/godwit/internal/cputime context net net/http sync time",
	"cmd/godwit/internal/perf":     "quic quic/event cmd/godwit/internal/cputime context sync time",
	"cmd/godwit/internal/wtclient": "quic webtransport internal/histogram context sync time",
	"examples":                     "",
	"examples/echo":                "quic context os",
	"examples/files":               "http3 context net/http os time",
	"examples/ping":                "quic context time",
	"examples/webtransport-client": "webtransport context time",
	"examples/webtransport-server": "http3 webtransport net/http",

	// What only tests and measurements use.
	"internal/attack": "internal/connid internal/engine internal/h3 internal/handshake internal/protect internal/qpack " +
		"internal/udp internal/varint internal/wire sync time",
	"internal/attack/child":      "context os sync time golang.org/x/sys",
	"internal/attack/cmd/attack": "http3 quic internal/attack internal/attack/child context net/http os sync time",
	"internal/attack/cmd/soak": "http3 quic webtransport internal/attack internal/attack/child " +
		"context net net/http os sync time golang.org/x/sys",
	"internal/test/arch":       "",
	"internal/test/compliance": "os",
	"internal/test/dialogue": "internal/engine internal/h3 internal/monotime internal/path internal/qpack internal/test/sim internal/test/simh3 " +
		"internal/test/simwt internal/wire internal/wt quic/quictrace time",
	"internal/test/jspeer":    "internal/test/peertest context os",
	"internal/test/leak":      "time",
	"internal/test/memnet":    "internal/udp net sync time",
	"internal/test/peertest":  "internal/devcert context os sync time",
	"internal/test/qlogcheck": "",
	"internal/test/quicmem":   "internal/engine internal/loop",
	"internal/test/sim": "internal/connid internal/engine internal/monotime internal/path internal/protect " +
		"internal/streambuf internal/wire quic/quictrace time",
	"internal/test/simh3":  "internal/engine internal/h3 internal/monotime time",
	"internal/test/simwt":  "internal/engine internal/h3 internal/monotime internal/test/simh3 internal/wt",
	"internal/test/stress": "context os sync time",
}

// TestImports: every package imports what its row allows, and has a row.
func TestImports(t *testing.T) {
	for _, f := range files(t) {
		row, ok := may[f.pkg()]
		if !ok {
			t.Errorf("%s: package %s has no row in the table of imports", f.name, f.pkg())
			continue
		}
		if f.test() {
			continue
		}
		for _, spec := range f.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if !allowed(strings.Fields(row), path) {
				t.Errorf("%s:%d: package %s must not import %s", f.name, line(spec), f.pkg(), path)
			}
		}
	}
}

// allowed reports whether a row has an import, or it is of no concern.
func allowed(row []string, path string) bool {
	if own, ok := strings.CutPrefix(path, module); ok {
		return slices.Contains(row, own)
	}
	if host, _, _ := strings.Cut(path, "/"); strings.Contains(host, ".") { // of others
		return slices.ContainsFunc(row, func(prefix string) bool { return strings.HasPrefix(path+"/", prefix+"/") })
	}
	if path == "sync/atomic" {
		path = "sync"
	}
	return !slices.Contains(watched, path) || slices.Contains(row, path)
}
