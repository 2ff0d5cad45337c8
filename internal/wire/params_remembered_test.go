package wire_test

import (
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// What belongs to one connection is not remembered, and every limit that early data may
// have used is compared (RFC 9000, Section 7.4.1).
func TestRememberedParameters(t *testing.T) {
	p := wire.DefaultTransportParameters()
	id, _ := wire.NewConnectionID([]byte{1, 2, 3, 4})
	p.OriginalDstID, p.InitialSrcID, p.RetrySrcID = wire.SomeID(id), wire.SomeID(id), wire.SomeID(id)
	p.HasStatelessResetToken, p.AckDelayExponent, p.MaxAckDelay = true, 7, time.Millisecond
	p.MaxIdleTimeout, p.MaxUDPPayloadSize, p.DisableActiveMigration = time.Minute, 1300, true
	p.InitialMaxData, p.InitialMaxStreamDataBidiLocal, p.InitialMaxStreamDataBidiRemote = 10, 11, 12
	p.InitialMaxStreamDataUni, p.InitialMaxStreamsBidi, p.InitialMaxStreamsUni = 13, 14, 15
	p.ActiveConnIDLimit, p.MaxDatagramFrameSize, p.ResetStreamAt = 5, 16, true
	p.PreferredAddress = &wire.PreferredAddress{IPv4: netip.MustParseAddrPort("192.0.2.1:443"), ID: id}

	r := p.Remembered()
	again, err := wire.ParseTransportParameters(wire.AppendTransportParameters(nil, &r), wire.ServerSide)
	if err != nil || !reflect.DeepEqual(again, r) {
		t.Fatalf("kept as %+v, %v; want %+v", again, err, r)
	}
	if r.OriginalDstID.Set || r.InitialSrcID.Set || r.RetrySrcID.Set || r.HasStatelessResetToken || r.PreferredAddress != nil ||
		r.AckDelayExponent != wire.DefaultAckDelayExponent || r.MaxAckDelay != wire.DefaultMaxAckDelay {
		t.Errorf("remembers what belongs to one connection: %+v", r)
	}
	if name := p.ReducedFrom(&r); name != "" {
		t.Errorf("%s counts as reduced", name)
	}
	for name, reduce := range map[string]func(*wire.TransportParameters){
		"active_connection_id_limit":          func(p *wire.TransportParameters) { p.ActiveConnIDLimit-- },
		"initial_max_data":                    func(p *wire.TransportParameters) { p.InitialMaxData-- },
		"initial_max_stream_data_bidi_local":  func(p *wire.TransportParameters) { p.InitialMaxStreamDataBidiLocal-- },
		"initial_max_stream_data_bidi_remote": func(p *wire.TransportParameters) { p.InitialMaxStreamDataBidiRemote-- },
		"initial_max_stream_data_uni":         func(p *wire.TransportParameters) { p.InitialMaxStreamDataUni-- },
		"initial_max_streams_bidi":            func(p *wire.TransportParameters) { p.InitialMaxStreamsBidi-- },
		"initial_max_streams_uni":             func(p *wire.TransportParameters) { p.InitialMaxStreamsUni-- },
		"max_datagram_frame_size":             func(p *wire.TransportParameters) { p.MaxDatagramFrameSize-- },
		"reset_stream_at":                     func(p *wire.TransportParameters) { p.ResetStreamAt = false },
		"":                                    func(p *wire.TransportParameters) { p.MaxIdleTimeout, p.MaxUDPPayloadSize = 1, 1200 },
	} {
		less := p
		reduce(&less)
		if got := less.ReducedFrom(&r); got != name {
			t.Errorf("reduced is %q, want %q", got, name)
		}
	}
}
