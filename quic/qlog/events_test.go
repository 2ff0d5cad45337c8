package qlog

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/qlogcheck"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// allEvents returns each event with each value that makes a difference.
func allEvents() (events []quictrace.Event) {
	add := func(e ...quictrace.Event) { events = append(events, e...) }
	ping := wire.AppendPing(nil)
	for _, p := range []quictrace.PacketType{quictrace.Initial, quictrace.ZeroRTT, quictrace.Handshake, quictrace.OneRTT} {
		packet := quictrace.Packet{Type: p, Number: 1 << 60, Size: 1200, Frames: ping, KeyPhase: true}
		add(&quictrace.PacketSent{Packet: packet}, &quictrace.PacketReceived{Packet: packet})
		for _, server := range []bool{false, true} {
			k := quictrace.Key{Type: p, Server: server, Phase: 3}
			add(&quictrace.KeyUpdated{Key: k, Trigger: quictrace.KeyByTLS}, &quictrace.KeyUpdated{Key: k, Trigger: quictrace.KeyByLocalUpdate},
				&quictrace.KeyUpdated{Key: k, Trigger: quictrace.KeyByRemoteUpdate}, &quictrace.KeyDiscarded{Key: k})
		}
		for _, trigger := range []quictrace.LossTrigger{quictrace.LostByOrder, quictrace.LostByTime, quictrace.LostByRetry} {
			add(&quictrace.PacketLost{Type: p, Number: 7, Trigger: trigger, Probe: trigger == quictrace.LostByTime})
		}
	}
	add(
		&quictrace.ConnectionStarted{
			Local: netip.MustParseAddr("192.0.2.1"), Remote: netip.MustParseAddrPort("[fe80::1%eth0]:443"), LocalID: []byte{1},
		},
		&quictrace.ConnectionStarted{},
		&quictrace.ConnectionIDUpdated{Remote: true, Old: []byte{1}, New: []byte{2}},
		&quictrace.VersionInformation{Chosen: 1, Client: []uint32{1}},
		&quictrace.VersionInformation{Chosen: 2, Server: make([]uint32, 10_000)},
		&quictrace.ALPNInformation{Chosen: "h3"}, &quictrace.ALPNInformation{Chosen: "\xff\""},
		&quictrace.ParametersSet{}, &quictrace.ParametersSet{Remote: true, RetrySourceConnectionID: []byte{}, InitialMaxData: 1 << 61},
		&quictrace.RecoveryParametersSet{TimeThreshold: 9.0 / 8, InitialRTT: time.Second, TimerGranularity: time.Millisecond},
		&quictrace.RecoveryMetricsUpdated{MinRTT: 1, SmoothedRTT: time.Hour, LatestRTT: 1, RTTVariance: 1, CongestionWindow: 1, BytesInFlight: -1},
		&quictrace.CongestionStateUpdated{New: "slow_start"}, &quictrace.CongestionStateUpdated{Old: "slow_start", New: "recovery"},
		&quictrace.ECNStateUpdated{New: quictrace.ECNTesting},
		&quictrace.ECNStateUpdated{Old: quictrace.ECNTesting, New: quictrace.ECNCapable},
		&quictrace.ECNStateUpdated{Old: quictrace.ECNCapable, New: quictrace.ECNFailed},
		&quictrace.MTUUpdated{New: 1200}, &quictrace.MTUUpdated{Old: 1200, New: 1452},
		&quictrace.PacketBuffered{Size: 50},
	)
	for _, s := range []quictrace.State{quictrace.StateAttempted, quictrace.StateComplete, quictrace.StateConfirmed, quictrace.StateClosing, quictrace.StateDraining} {
		add(&quictrace.ConnectionStateUpdated{New: s}, &quictrace.ConnectionStateUpdated{Old: s, New: s})
	}
	for _, s := range []quictrace.StreamState{quictrace.StreamSend, quictrace.StreamDataSent, quictrace.StreamResetSent,
		quictrace.StreamResetReceived, quictrace.StreamReceive, quictrace.StreamSizeKnown, quictrace.StreamDataReceived,
		quictrace.StreamDataRead, quictrace.StreamResetRead} {
		add(&quictrace.StreamStateUpdated{StreamID: 3, Sending: true, New: s}, &quictrace.StreamStateUpdated{StreamID: 4, New: s})
	}
	for _, ecn := range []quictrace.ECN{quictrace.NotECT, quictrace.ECT1, quictrace.ECT0, quictrace.CE} {
		d := quictrace.Datagrams{Bytes: 2500, Size: 1200, ECN: ecn}
		add(&quictrace.UDPDatagramsSent{Datagrams: d}, &quictrace.UDPDatagramsReceived{Datagrams: d})
	}
	for _, trigger := range []quictrace.DropTrigger{quictrace.DropRejected, quictrace.DropUnsupported, quictrace.DropInvalid,
		quictrace.DropDuplicate, quictrace.DropDecryptionFailure, quictrace.DropKeyUnavailable, quictrace.DropGeneral} {
		add(&quictrace.PacketDropped{Size: 50, Trigger: trigger, Detail: "bad mood"}, &quictrace.PacketDropped{Size: 50, Trigger: trigger})
	}
	for _, trigger := range []quictrace.CloseTrigger{quictrace.CloseIdle, quictrace.CloseApplication, quictrace.CloseVersionMismatch,
		quictrace.CloseStatelessReset, quictrace.CloseAborted, quictrace.CloseUnspecified} {
		add(&quictrace.ConnectionClosed{Trigger: trigger, Reason: strings.Repeat("too\tmuch", 1000)})
	}
	for _, code := range []uint64{0x12a, 0x999, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf, 0x10} {
		add(&quictrace.ConnectionClosed{Trigger: quictrace.CloseError, Code: code, Remote: true})
	}
	return append(events, allHTTPEvents()...)
}

func allHTTPEvents() (events []quictrace.Event) {
	settings := []quictrace.HTTPSetting{{ID: 1, Value: 4096}, {ID: 6, Value: 1 << 60}, {ID: 7}, {ID: 8, Value: 1}, {ID: 0x33, Value: 1}, {ID: 0x21}, {ID: 0x9999}}
	fields := []quictrace.HTTPField{{Name: ":path", Value: "/"}, {Name: "cookie", Value: "hidden"}, {Name: "x\xff", Value: "\xff"}}
	for range 3000 {
		fields = append(fields, quictrace.HTTPField{Name: "x", Value: strings.Repeat("y", 2000)})
	}
	events = []quictrace.Event{
		&quictrace.HTTPParametersSet{Remote: true, Settings: settings}, &quictrace.HTTPParametersSet{},
		&quictrace.HTTPPriorityUpdated{StreamID: 4, New: "u=1, i"},
		&quictrace.HTTPDatagramCreated{HTTPDatagram: quictrace.HTTPDatagram{StreamID: 8, Length: 100}},
		&quictrace.HTTPDatagramParsed{HTTPDatagram: quictrace.HTTPDatagram{StreamID: 8}},
	}
	for _, s := range []quictrace.HTTPStreamType{quictrace.HTTPRequestStream, quictrace.HTTPControlStream, quictrace.HTTPPushStream,
		quictrace.HTTPQPACKEncoder, quictrace.HTTPQPACKDecoder, quictrace.HTTPReservedStream, quictrace.HTTPUnknownStream} {
		events = append(events, &quictrace.HTTPStreamTypeSet{StreamID: 2, Type: s, Number: 0x41})
	}
	for _, kind := range []uint64{0, 1, 3, 4, 5, 7, 0xd, 0xf0700, 0xf0701, 0x21, 0x41} {
		f := quictrace.HTTPFrame{StreamID: 4, Type: kind, Length: 10, Fields: fields, Settings: settings, ID: 8, Priority: "u=2"}
		events = append(events, &quictrace.HTTPFrameCreated{HTTPFrame: f}, &quictrace.HTTPFrameParsed{HTTPFrame: f})
	}
	return events
}

// TestSchema: every event that can be written is one of the drafts', with its fields and
// values.
func TestSchema(t *testing.T) {
	dir := t.TempDir()
	tr := Dir(dir, nil)(quictrace.Info{OriginalID: []byte{1}})
	for _, e := range allEvents() {
		tr.Trace(1, e)
	}
	tr.Trace(7, &quictrace.ConnectionStateUpdated{New: quictrace.StateClosed})
	log, err := os.ReadFile(filepath.Join(dir, "01_client.sqlog"))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := qlogcheck.File(log, "client")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range qlogcheck.Events() {
		if seen[name] == 0 {
			t.Errorf("no %s was written", name)
		}
	}
	if strings.Contains(string(log), "hidden") {
		t.Error("the value of a cookie was written")
	}
}

// unheardOf is an event of a later version.
type unheardOf struct{}

// Name implements quictrace.Event.
func (unheardOf) Name() string { return "quic:unheard_of" }

// What is not known leaves no trace.
func TestUnknownEvent(t *testing.T) {
	file := &sink{room: 1 << 20}
	tr := New(quictrace.Info{}, file)
	before := len(tr.(*tracer).out.rec.buf)
	tr.Trace(0, unheardOf{})
	tr.Trace(0, &quictrace.UDPDatagramsSent{})
	if after := len(tr.(*tracer).out.rec.buf); after != before {
		t.Errorf("%d bytes were written", after-before)
	}
}
