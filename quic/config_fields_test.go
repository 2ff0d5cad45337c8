package quic

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/quic/congestion"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// fieldTest says how a field of a configuration is checked.
type fieldTest struct {
	good any   // a value that is not the default
	bad  []any // values that are refused
	with any   // the rest of the configuration; the defaults if nil

	// seen names the test that sees the field's effect, where what the configuration is
	// translated to is not all of it.
	seen string
}

var configFields = map[string]fieldTest{
	"Versions":                {good: []Version{Version2}, bad: []any{[]Version{3}, []Version{Version1, Version1}}},
	"OriginalVersion":         {good: Version2, bad: []any{Version(3)}},
	"LookupHost":              {good: func(context.Context, string) ([]netip.Addr, error) { return nil, nil }, seen: "TestLookupHost"},
	"HandshakeTimeout":        {good: time.Second, bad: []any{time.Duration(-1)}},
	"MaxIdleTimeout":          {good: time.Second, bad: []any{time.Duration(-1)}},
	"KeepAlivePeriod":         {good: time.Second, bad: []any{time.Duration(-1)}},
	"MaxIncomingStreams":      {good: int64(7)},
	"MaxIncomingUniStreams":   {good: int64(-1)},
	"InitialStreamWindow":     {good: uint64(1200), bad: []any{uint64(1199), uint64(1 << 62)}},
	"MaxStreamWindow":         {good: uint64(1 << 20), bad: []any{uint64(1199), uint64(1 << 62), uint64(5000)}, with: Config{InitialStreamWindow: 5001}},
	"InitialConnWindow":       {good: uint64(1200), bad: []any{uint64(1199), uint64(1 << 62)}},
	"MaxConnWindow":           {good: uint64(1 << 20), bad: []any{uint64(1199), uint64(1 << 62), uint64(5000)}, with: Config{InitialConnWindow: 5001}},
	"MaxUDPPayload":           {good: 65507, bad: []any{1199, 65508}},
	"EnableDatagrams":         {good: true},
	"DatagramBurst":           {good: -1},
	"Congestion":              {good: congestion.NewReno},
	"Allow0RTT":               {good: true},
	"ReplayGuard":             {good: unsureGuard{}, seen: "TestReplayGuard"},
	"EarlyState":              {good: []byte("state"), bad: []any{make([]byte, 1025)}, seen: "TestEarlyState"},
	"TokenStore":              {good: NewTokenStore(1, 1), seen: "TestTokenStore"},
	"InitialCongestionWindow": {good: 32, bad: []any{1, 1001}},
	"MaxCongestionWindow":     {good: 1 << 20, bad: []any{32<<10 - 1, 1<<30 + 1}},
	"PreferredAddress": {
		good: &PreferredAddress{IPv4: netip.MustParseAddrPort("192.0.2.1:443")},
		bad: []any{
			&PreferredAddress{}, &PreferredAddress{IPv4: netip.MustParseAddrPort("[2001:db8::1]:443")},
			&PreferredAddress{IPv6: netip.MustParseAddrPort("192.0.2.1:443")}, &PreferredAddress{IPv4: netip.MustParseAddrPort("0.0.0.0:443")},
			&PreferredAddress{IPv4: netip.MustParseAddrPort("192.0.2.1:0")},
		},
	},
	"IgnorePreferredAddress": {good: true},
	"DisableActiveMigration": {good: true},
	"AddrChanged":            {good: func(*Conn) {}},
	"NetworkLost":            {good: func(*Conn, error) (*Transport, error) { return nil, nil }},
	"Tracer":                 {good: func(quictrace.Info) quictrace.Tracer { return nil }, seen: "TestTracer"},
}

var transportConfigFields = map[string]fieldTest{
	"Loops": {good: 3, bad: []any{-1, 65}, seen: "TestLoops"},
	"Sockets": {
		good: []net.PacketConn{new(net.UDPConn), new(net.UDPConn)},
		bad:  []any{[]net.PacketConn{nil}, make([]net.PacketConn, 65)}, seen: "TestSocketsUDP",
	},
	"Predecessor":              {good: new(net.UnixConn), seen: "TestRestarts"},
	"Control":                  {good: func(string, string, syscall.RawConn) error { return nil }, seen: "TestControl"},
	"SocketBuffer":             {good: 1 << 20, bad: []any{-1}},
	"SendBatch":                {good: 3, bad: []any{-1, 65}, seen: "TestBatches"},
	"ReceiveBatch":             {good: 3, bad: []any{-1, 1025}},
	"DisableGSO":               {good: true},
	"DisableGRO":               {good: true},
	"ConnectionIDs":            {good: RandomConnectionIDs(9, 3), bad: []any{RandomConnectionIDs(21, 0), RandomConnectionIDs(8, 8)}},
	"StatelessResetKey":        {good: &[32]byte{1}, seen: "TestStatelessReset"},
	"FleetKeys":                {good: mustFleetKeys(1), bad: []any{new(FleetKeys)}, seen: "TestFleetKeys"},
	"RequireAddressValidation": {good: true, seen: "TestRetry"},
	"MaxBufferedBytes":         {good: int64(1 << 20), seen: "TestMemoryUsedUp"},
	"MaxConnections":           {good: 5},
	"MaxConnectionsPerSource":  {good: 5},
	"MaxHandshakes":            {good: 5},
	"MaxHandshakesPerSource":   {good: 5},
	"RetryThreshold":           {good: 5},
	"Logger":                   {good: slog.Default()},
}

// checkFields runs the tests of every field of a configuration; validate is its own, and
// translate returns all that it becomes.
func checkFields[C any](t *testing.T, tests map[string]fieldTest, validate func(*C) error, translate func(*C) any) {
	t.Helper()
	typ := reflect.TypeFor[C]()
	for f := range typ.Fields() {
		tt, ok := tests[f.Name]
		if !ok {
			t.Errorf("no test for %s.%s", typ.Name(), f.Name)
			continue
		}
		set := func(v any, with any) *C {
			var c C
			if with != nil {
				c = with.(C)
			}
			reflect.ValueOf(&c).Elem().FieldByName(f.Name).Set(reflect.ValueOf(v))
			return &c
		}
		if err := validate(set(tt.good, nil)); err != nil {
			t.Errorf("%s.%s = %v is refused: %v", typ.Name(), f.Name, tt.good, err)
		}
		if tt.seen == "" && reflect.DeepEqual(translate(set(tt.good, nil)), translate(new(C))) {
			t.Errorf("%s.%s = %v has no effect", typ.Name(), f.Name, tt.good)
		}
		for _, v := range tt.bad {
			if err := validate(set(v, tt.with)); err == nil || !strings.Contains(err.Error(), typ.Name()+"."+f.Name) {
				t.Errorf("%s.%s = %v: %v, want an error that names it", typ.Name(), f.Name, v, err)
			}
		}
	}
	for name := range tests {
		if _, ok := typ.FieldByName(name); !ok {
			t.Errorf("%s has no field %s", typ.Name(), name)
		}
	}
}

// TestEveryConfigField: each field of Config has an effect on connections, and values that
// cannot work are refused with its name.
func TestEveryConfigField(t *testing.T) {
	checkFields(t, configFields, (*Config).validate, func(c *Config) any {
		e := *c.engineConfig()
		reno := reflect.ValueOf(e.NewCongestion).Pointer() // functions are never DeepEqual
		e.NewCongestion = nil
		return []any{e, reno}
	})
}

// TestEveryTransportConfigField is TestEveryConfigField of TransportConfig.
func TestEveryTransportConfigField(t *testing.T) {
	checkFields(t, transportConfigFields, (*TransportConfig).validate, func(c *TransportConfig) any {
		return []any{c.udp(), c.connectionIDs(), c.admission()}
	})
}

// A configuration that is refused leaves no socket behind, and what it was given to does
// not see what is changed later.
func TestConfigIsCopied(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t, "test")
	conf, tc := &Config{MaxIncomingStreams: 3, Versions: []Version{Version1}}, &TransportConfig{Loops: 1}
	l, err := tc.Listen("127.0.0.1:0", serverTLS, conf)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Transport().Close()
	conf.MaxIncomingStreams, conf.Versions[0], tc.Loops = -1, Version2, 9
	c, err := Dial(t.Context(), l.Addr().String(), clientTLS, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseWithError(0, "")
	if got := c.Stats().Version; got != Version1 {
		t.Errorf("version %v", got)
	}
	if _, err := c.OpenStream(t.Context()); err != nil {
		t.Error(err)
	}
}
