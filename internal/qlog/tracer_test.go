package qlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/monotime"
	"github.com/godwit-quic/godwit/internal/path"
	"github.com/godwit-quic/godwit/internal/wire"
)

func connectionID(b ...byte) wire.ConnectionID {
	id, _ := wire.NewConnectionID(b)
	return id
}

// events returns the records of a file, the header not among them.
func events(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	records := strings.Split(string(data), "\x1e")
	if records[0] != "" {
		t.Fatalf("the file begins with %q", records[0])
	}
	for i, r := range records[1:] {
		if !json.Valid([]byte(r)) || !strings.HasSuffix(r, "\n") {
			t.Fatalf("record %d: %q", i, r)
		}
		records[i+1] = strings.TrimSuffix(r, "\n")
	}
	return records[2:]
}

func TestTracer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on the way")
	var tr engine.Tracer = Dir(dir, nil)(wire.ServerSide, connectionID(0xaa, 0xbb))
	now := monotime.Time(1_000_000)
	tr.PacketReceived(now, engine.OpenPacket{Level: wire.InitialLevel, Number: 0, Size: 1200, Frames: wire.AppendPing(nil)})
	now = now.Add(1_234_567)
	tr.PacketSent(now, engine.OpenPacket{Level: wire.OneRTTLevel, Number: 3, Size: 40, Frames: wire.AppendPing(nil)})
	stats := engine.Stats{MinRTT: time.Millisecond, SmoothedRTT: 2 * time.Millisecond, CongestionWindow: 12_000, BytesInFlight: 40}
	tr.MetricsUpdated(now, engine.Metrics{Stats: stats})
	tr.MetricsUpdated(now, engine.Metrics{Stats: stats})
	stats.BytesInFlight = 0
	tr.MetricsUpdated(now, engine.Metrics{Stats: stats})
	tr.PacketLost(now, wire.HandshakeSpace, 7, engine.LostByTime, false)
	tr.PacketDropped(now, 50, engine.DropDuplicate, "")
	tr.PacketBuffered(now, 50)
	tr.KeysUpdated(now, wire.OneRTTLevel, 1, engine.KeysByUs, false)
	tr.PacketDropped(now, 50, engine.DropGeneral, "bad mood")
	tr.Closed(now, &engine.ApplicationError{Code: 5, Reason: "bye", Remote: true})
	file := filepath.Join(dir, "aabb_server.sqlog")
	if got := events(t, file); !strings.Contains(got[len(got)-1], "connection_closed") {
		t.Errorf("the file ends with %s before the connection is released", got[len(got)-1])
	}
	tr.PacketSent(now, engine.OpenPacket{Level: wire.OneRTTLevel, Number: 4, Size: 40, Frames: wire.AppendConnectionClose(nil, wire.ConnectionClose{})})
	tr.Released(now)
	tr.PacketSent(now, engine.OpenPacket{Level: wire.OneRTTLevel, Number: 5, Size: 40, Frames: nil})
	tr.PacketDropped(now, 50, engine.DropInvalid, "")
	tr.PacketBuffered(now, 50)
	tr.PacketLost(now, wire.AppSpace, 7, engine.LostByOrder, true)
	tr.KeysUpdated(now, wire.OneRTTLevel, 2, engine.KeysByPeer, false)
	tr.MetricsUpdated(now, engine.Metrics{})
	tr.Closed(now, nil)
	tr.Started(now, path.Addrs{}, connectionID(), connectionID())
	tr.VersionKnown(now, 1, nil, nil)
	tr.ProtocolKnown(now, nil)
	tr.ParametersSet(now, &wire.TransportParameters{}, false)
	tr.StateUpdated(now, "draining")
	tr.StreamUpdated(0, false, "receive")
	tr.KeysDiscarded(now, wire.InitialLevel, 0)
	tr.DatagramsSent(now, engine.Transmit{Data: []byte{1}, Segment: 1})
	tr.DatagramReceived(now, 1, path.CE)
	tr.Released(now)

	got := events(t, file)
	want := []string{
		`{"time":0.000,"name":"quic:packet_received","data":{"header":{"packet_type":"initial","packet_number":0},"raw":{"length":1200,"payload_length":1},"frames":[{"frame_type":"ping"}]}}`,
		`{"time":1.234,"name":"quic:packet_sent","data":{"header":{"packet_type":"1RTT","packet_number":3,"key_phase_bit":false},"raw":{"length":40,"payload_length":1},"frames":[{"frame_type":"ping"}]}}`,
		`{"time":1.234,"name":"quic:recovery_metrics_updated","data":{"min_rtt":1.000,"smoothed_rtt":2.000,"congestion_window":12000,"bytes_in_flight":40}}`,
		`{"time":1.234,"name":"quic:recovery_metrics_updated","data":{"bytes_in_flight":0}}`,
		`{"time":1.234,"name":"quic:packet_lost","data":{"header":{"packet_type":"handshake","packet_number":7},"trigger":"time_threshold"}}`,
		`{"time":1.234,"name":"quic:packet_dropped","data":{"raw":{"length":50},"trigger":"duplicate"}}`,
		`{"time":1.234,"name":"quic:packet_buffered","data":{"raw":{"length":50},"trigger":"keys_unavailable"}}`,
		`{"time":1.234,"name":"quic:key_updated","data":{"key_type":"client_1rtt_secret","key_phase":1,"trigger":"local_update"}}`,
		`{"time":1.234,"name":"quic:key_updated","data":{"key_type":"server_1rtt_secret","key_phase":1,"trigger":"local_update"}}`,
		`{"time":1.234,"name":"quic:packet_dropped","data":{"raw":{"length":50},"details":{"reason":"bad mood"},"trigger":"general"}}`,
		`{"time":1.234,"name":"quic:connection_closed","data":{"initiator":"remote","application_error":"unknown","error_code":5,"reason":"connection closed by the peer with application error 0x5: bye","trigger":"application"}}`,
		`{"time":1.234,"name":"quic:packet_sent","data":{"header":{"packet_type":"1RTT","packet_number":4,"key_phase_bit":false},"raw":{"length":40,"payload_length":4},"frames":[{"frame_type":"connection_close","error_space":"transport","error":"no_error"}]}}`,
		`{"time":1.234,"name":"quic:connection_state_updated","data":{"new":"closed"}}`,
	}
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d:\n%s", len(got), len(want), strings.Join(got, "\n"))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("event %d:\n got %s\nwant %s", i, got[i], want[i])
		}
	}
}

func TestClosed(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{nil, `"trigger":"unspecified"`},
		{errors.New("out of luck"), `"reason":"out of luck","trigger":"unspecified"`},
		{fmt.Errorf("dialling: %w", engine.ErrStatelessReset),
			`"initiator":"remote","reason":"dialling: ` + engine.ErrStatelessReset.Error() + `","trigger":"stateless_reset"`},
		{&engine.IdleTimeoutError{After: time.Second}, `"initiator":"local","reason":"connection idle: nothing arrived for 1s","trigger":"idle_timeout"`},
		{&engine.HandshakeTimeoutError{After: time.Second}, `"initiator":"local","reason":"no answer within 1s","trigger":"aborted"`},
		{&engine.TransportError{Code: wire.FlowControlError, Reason: "too\tmuch"},
			`"initiator":"local","connection_error":"flow_control_error","reason":"local transport error FLOW_CONTROL_ERROR: too\tmuch","trigger":"error"`},
	} {
		var r record
		r.open("", '{')
		r.closed(tt.err)
		r.close('}')
		if want := "{" + tt.want + "}"; string(r.buf) != want {
			t.Errorf("%v:\n got %s\nwant %s", tt.err, r.buf, want)
		}
	}
	var r record
	r.open("", '{')
	r.closed(&engine.VersionNegotiationError{})
	if !strings.HasSuffix(string(r.buf), `"trigger":"version_mismatch"`) {
		t.Errorf("%s", r.buf)
	}
}

func TestDirErrors(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, nil))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	newTracer := Dir(file, logger)
	for range 3 {
		if tr := newTracer(wire.ClientSide, connectionID(1)); tr != nil {
			t.Errorf("a tracer in a directory that is a file: %v", tr)
		}
	}
	if n := strings.Count(logged.String(), "\n"); n != 1 {
		t.Errorf("logged %d lines: %s", n, logged.String())
	}

	logged.Reset()
	newTracer = Dir(t.TempDir(), logger)
	first := newTracer(wire.ServerSide, connectionID(1))
	if tr := newTracer(wire.ServerSide, connectionID(1)); tr != nil || first == nil {
		t.Errorf("the first tracer of an ID is %v, the second %v", first, tr)
	}
	if !strings.Contains(logged.String(), "file exists") {
		t.Errorf("logged %q", logged.String())
	}
	first.Released(1)
}

// TestOpenBound: strangers do not make a server run out of files.
func TestOpenBound(t *testing.T) {
	newTracer := Dir(t.TempDir(), nil)
	var open []engine.Tracer
	for i := range maxOpen {
		tr := newTracer(wire.ServerSide, connectionID(byte(i>>8), byte(i)))
		if tr == nil {
			t.Fatalf("connection %d is not logged", i)
		}
		open = append(open, tr)
	}
	if newTracer(wire.ServerSide, connectionID(9, 9, 9)) != nil {
		t.Error("one more is logged")
	}
	for _, tr := range open {
		tr.Closed(1, nil)
		tr.Released(1)
		tr.Released(1)
	}
	tr := newTracer(wire.ServerSide, connectionID(9, 9, 9))
	if tr == nil {
		t.Fatal("none is logged after the others were closed")
	}
	tr.Released(1)
}

// sink is a file whose writes fail after the first room bytes.
type sink struct {
	room, written, closed int
}

func (s *sink) Write(p []byte) (int, error) {
	if s.written+len(p) > s.room {
		return 0, errors.New("disk full")
	}
	s.written += len(p)
	return len(p), nil
}

func (s *sink) Close() error {
	s.closed++
	return nil
}

func TestOutputEnds(t *testing.T) {
	for _, tt := range []struct {
		name        string
		room, limit int
		wantErrors  int
	}{
		{"limit", 1 << 30, 100_000, 0},
		{"disk full", 100_000, 1 << 30, 1},
	} {
		file := &sink{room: tt.room}
		reported, closed := 0, 0
		tr := &tracer{out: &output{
			w: file, limit: int64(tt.limit),
			report: func(error) { reported++ },
			closed: func() { closed++ },
		}}
		payload := wire.AppendPing(nil)
		for pn := range wire.PacketNumber(10_000) {
			tr.PacketSent(1, engine.OpenPacket{Level: wire.OneRTTLevel, Number: pn, Size: 30, Frames: payload})
		}
		if reported != tt.wantErrors || closed != 1 || file.closed != 1 {
			t.Errorf("%s: %d errors reported, closed %d times, file %d times", tt.name, reported, closed, file.closed)
		}
		if file.written > 100_000+flushAt+maxRecord || file.written == 0 {
			t.Errorf("%s: %d bytes written", tt.name, file.written)
		}
	}
}

// TestAllocations: logging a packet allocates nothing.
func TestAllocations(t *testing.T) {
	tr := &tracer{out: &output{w: &sink{room: 1 << 30}, limit: 1 << 30}}
	payload := wire.AppendStream(wire.AppendPing(nil), wire.Stream{ID: 4, Offset: 99, Data: make([]byte, 1000)})
	payload = wire.AppendAck(payload, 99, 3, []wire.PacketRange{{Smallest: 2, Largest: 4}, {Smallest: 0, Largest: 0}}, nil)
	send := func() {
		tr.PacketSent(1, engine.OpenPacket{Level: wire.OneRTTLevel, Number: 3, Size: 1200, Frames: payload})
		tr.DatagramsSent(1, engine.Transmit{Data: payload, Segment: 700})
		tr.StreamUpdated(4, true, "send")
	}
	for range 500 { // the buffer grows to its size
		send()
	}
	if n := testing.AllocsPerRun(1000, send); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
