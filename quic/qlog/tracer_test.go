package qlog

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

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

func packet(kind quictrace.PacketType, number uint64, frames []byte) quictrace.Packet {
	return quictrace.Packet{Type: kind, Number: number, Size: 40, Frames: frames}
}

var over = &quictrace.ConnectionStateUpdated{New: quictrace.StateClosed}

func TestTracer(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on the way")
	tr := Dir(dir, nil)(quictrace.Info{Server: true, OriginalID: []byte{0xaa, 0xbb}})
	ping := wire.AppendPing(nil)
	tr.Trace(0, &quictrace.PacketReceived{Packet: quictrace.Packet{Type: quictrace.Initial, Size: 1200, Frames: ping}})
	const now = 1_234_567
	tr.Trace(now, &quictrace.PacketSent{Packet: packet(quictrace.OneRTT, 3, ping)})
	metrics := &quictrace.RecoveryMetricsUpdated{MinRTT: time.Millisecond, SmoothedRTT: 2 * time.Millisecond, CongestionWindow: 12_000, BytesInFlight: 40}
	tr.Trace(now, metrics)
	metrics.BytesInFlight = 0
	tr.Trace(now, metrics)
	tr.Trace(now, &quictrace.PacketLost{Type: quictrace.Handshake, Number: 7, Trigger: quictrace.LostByTime})
	tr.Trace(now, &quictrace.PacketDropped{Size: 50, Trigger: quictrace.DropDuplicate})
	tr.Trace(now, &quictrace.PacketBuffered{Size: 50})
	tr.Trace(now, &quictrace.KeyUpdated{Key: quictrace.Key{Type: quictrace.OneRTT, Phase: 1}, Trigger: quictrace.KeyByLocalUpdate})
	tr.Trace(now, &quictrace.KeyDiscarded{Key: quictrace.Key{Type: quictrace.Initial, Server: true}})
	tr.Trace(now, &quictrace.PacketDropped{Size: 50, Trigger: quictrace.DropGeneral, Detail: "bad mood"})
	tr.Trace(now, &quictrace.ConnectionClosed{Trigger: quictrace.CloseApplication, Code: 5, Reason: "bye", Remote: true})
	file := filepath.Join(dir, "aabb_server.sqlog")
	if got := events(t, file); !strings.Contains(got[len(got)-1], "connection_closed") {
		t.Errorf("the file ends with %s before the connection is forgotten", got[len(got)-1])
	}
	tr.Trace(now, &quictrace.PacketSent{Packet: packet(quictrace.OneRTT, 4, wire.AppendConnectionClose(nil, wire.ConnectionClose{}))})
	tr.Trace(now, over)
	for _, e := range allEvents() {
		tr.Trace(now, e) // too late
	}
	tr.Trace(now, over)

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
		`{"time":1.234,"name":"quic:key_discarded","data":{"key_type":"server_initial_secret"}}`,
		`{"time":1.234,"name":"quic:packet_dropped","data":{"raw":{"length":50},"details":{"reason":"bad mood"},"trigger":"general"}}`,
		`{"time":1.234,"name":"quic:connection_closed","data":{"initiator":"remote","application_error":"unknown","error_code":5,"reason":"bye","trigger":"application"}}`,
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

func TestDirErrors(t *testing.T) {
	var logged bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&logged, nil))
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDir(file, logger)
	newTracer := d.newTracer
	for range 3 {
		if tr := newTracer(quictrace.Info{OriginalID: []byte{1}}); tr != nil {
			t.Errorf("a tracer in a directory that is a file: %v", tr)
		}
	}
	d.log.Flush()
	if n := strings.Count(logged.String(), "\n"); n != 1 {
		t.Errorf("logged %d lines: %s", n, logged.String())
	}

	logged.Reset()
	d = newDir(t.TempDir(), logger)
	newTracer = d.newTracer
	first := newTracer(quictrace.Info{Server: true, OriginalID: []byte{1}})
	if tr := newTracer(quictrace.Info{Server: true, OriginalID: []byte{1}}); tr != nil || first == nil {
		t.Errorf("the first tracer of an ID is %v, the second %v", first, tr)
	}
	d.log.Flush()
	if !strings.Contains(logged.String(), "file exists") {
		t.Errorf("logged %q", logged.String())
	}
	first.Trace(1, over)
}

// TestOpenBound: strangers do not make a server run out of files.
func TestOpenBound(t *testing.T) {
	newTracer := Dir(t.TempDir(), nil)
	var open []quictrace.Tracer
	for i := range maxOpen {
		tr := newTracer(quictrace.Info{OriginalID: []byte{byte(i >> 8), byte(i)}})
		if tr == nil {
			t.Fatalf("connection %d is not logged", i)
		}
		open = append(open, tr)
	}
	if newTracer(quictrace.Info{OriginalID: []byte{9, 9, 9}}) != nil {
		t.Error("one more is logged")
	}
	for _, tr := range open {
		tr.Trace(1, &quictrace.ConnectionClosed{})
		tr.Trace(1, over)
		tr.Trace(1, over)
	}
	tr := newTracer(quictrace.Info{OriginalID: []byte{9, 9, 9}})
	if tr == nil {
		t.Fatal("none is logged after the others were closed")
	}
	tr.Trace(1, over)
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
		for number := range uint64(10_000) {
			tr.Trace(1, &quictrace.PacketSent{Packet: packet(quictrace.OneRTT, number, payload)})
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
	sent := &quictrace.PacketSent{Packet: packet(quictrace.OneRTT, 3, payload)}
	datagrams := &quictrace.UDPDatagramsSent{Datagrams: quictrace.Datagrams{Bytes: 1400, Size: 700, ECN: quictrace.ECT0}}
	stream := &quictrace.StreamStateUpdated{StreamID: 4, Sending: true, New: quictrace.StreamSend}
	send := func() {
		tr.Trace(1, sent)
		tr.Trace(1, datagrams)
		tr.Trace(1, stream)
	}
	for range 500 { // the buffer grows to its size
		send()
	}
	if n := testing.AllocsPerRun(1000, send); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
