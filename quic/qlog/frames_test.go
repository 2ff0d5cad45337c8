package qlog

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/qlogcheck"
	"github.com/godwit-quic/godwit/internal/wire"
)

func TestFrames(t *testing.T) {
	id, _ := wire.NewConnectionID([]byte{0xab, 0xcd})
	ranges := []wire.PacketRange{{Smallest: 7, Largest: 9}, {Smallest: 3, Largest: 3}}
	type closing = wire.ConnectionClose
	seen := make(map[string]bool)
	for _, tt := range []struct {
		name    string
		payload []byte
		want    string
	}{
		{"nothing", nil, ``},
		{"padding", wire.AppendPadding(nil, 5), `{"frame_type":"padding","raw":{"payload_length":5}}`},
		{"two frames", wire.AppendPing(wire.AppendPing(nil)), `{"frame_type":"ping"},{"frame_type":"ping"}`},
		{"handshake done", wire.AppendHandshakeDone(nil), `{"frame_type":"handshake_done"}`},
		{"ack", wire.AppendAck(nil, 99, 125, ranges, nil), `{"frame_type":"ack","ack_delay":1.000,"acked_ranges":[[7,9],[3]]}`},
		{"ack with ECN", wire.AppendAck(nil, 99, 1<<60, ranges[:1], &wire.ECNCounts{ECT0: 1, ECT1: 2, CE: 3}),
			`{"frame_type":"ack","acked_ranges":[[7,9]],"ect0":1,"ect1":2,"ce":3}`},
		{"reset", wire.AppendResetStream(nil, wire.ResetStream{ID: 4, Code: 5, FinalSize: 6}),
			`{"frame_type":"reset_stream","stream_id":4,"error":"unknown","error_code":5,"final_size":6}`},
		{"reset that leaves a beginning", wire.AppendResetStreamAt(nil, wire.ResetStreamAt{
			ResetStream: wire.ResetStream{ID: 4, Code: 5, FinalSize: 7}, ReliableSize: 6}),
			`{"frame_type":"reset_stream_at","stream_id":4,"error":"unknown","error_code":5,"final_size":7,"reliable_size":6}`},
		{"stop sending", wire.AppendStopSending(nil, wire.StopSending{ID: 4, Code: 5}),
			`{"frame_type":"stop_sending","stream_id":4,"error":"unknown","error_code":5}`},
		{"crypto", wire.AppendCrypto(nil, wire.Crypto{Offset: 9, Data: []byte("abc")}),
			`{"frame_type":"crypto","offset":9,"raw":{"length":3}}`},
		{"new token", wire.AppendNewToken(nil, wire.NewToken{Token: []byte("abc")}),
			`{"frame_type":"new_token","token":{"type":"resumption","raw":{"length":3}}}`},
		{"stream", wire.AppendStream(nil, wire.Stream{ID: 8, Offset: 3, Data: []byte("ab"), Fin: true}),
			`{"frame_type":"stream","stream_id":8,"offset":3,"fin":true,"raw":{"length":2}}`},
		{"stream to the packet's end", append(wire.AppendStreamHeader(nil, 8, 0, 0, false, false), "ab"...),
			`{"frame_type":"stream","stream_id":8,"offset":0,"raw":{"length":2}}`},
		{"max data, beyond exact numbers", wire.AppendMaxData(nil, 1<<60), `{"frame_type":"max_data","maximum":"1152921504606846976"}`},
		{"max stream data", wire.AppendMaxStreamData(nil, wire.MaxStreamData{ID: 1, Max: 2}),
			`{"frame_type":"max_stream_data","stream_id":1,"maximum":2}`},
		{"max streams", wire.AppendMaxStreams(nil, true, 7), `{"frame_type":"max_streams","stream_type":"unidirectional","maximum":7}`},
		{"data blocked", wire.AppendDataBlocked(nil, 7), `{"frame_type":"data_blocked","limit":7}`},
		{"stream data blocked", wire.AppendStreamDataBlocked(nil, wire.StreamDataBlocked{ID: 1, Max: 2}),
			`{"frame_type":"stream_data_blocked","stream_id":1,"limit":2}`},
		{"streams blocked", wire.AppendStreamsBlocked(nil, false, 7), `{"frame_type":"streams_blocked","stream_type":"bidirectional","limit":7}`},
		{"new connection ID", wire.AppendNewConnectionID(nil, &wire.NewConnectionIDFrame{Seq: 3, RetirePriorTo: 1, ID: id}),
			`{"frame_type":"new_connection_id","sequence_number":3,"retire_prior_to":1,"connection_id":"abcd"}`},
		{"retire connection ID", wire.AppendRetireConnectionID(nil, 3), `{"frame_type":"retire_connection_id","sequence_number":3}`},
		{"path challenge", wire.AppendPathChallenge(nil, wire.PathData{1}), `{"frame_type":"path_challenge","data":"0100000000000000"}`},
		{"path response", wire.AppendPathResponse(nil, wire.PathData{2}), `{"frame_type":"path_response","data":"0200000000000000"}`},
		{"close", wire.AppendConnectionClose(nil, closing{Code: 0x0a, FrameType: 6, Reason: []byte(`say "no"`)}),
			`{"frame_type":"connection_close","error_space":"transport","error":"protocol_violation","trigger_frame_type":6,"reason":"say \"no\""}`},
		{"close after an alert", wire.AppendConnectionClose(nil, closing{Code: 0x12a}),
			`{"frame_type":"connection_close","error_space":"transport","error":"crypto_error_0x12a"}`},
		{"close, unknown code", wire.AppendConnectionClose(nil, closing{Code: 0x999}),
			`{"frame_type":"connection_close","error_space":"transport","error":"unknown","error_code":2457}`},
		{"close by the application, no UTF-8", wire.AppendConnectionClose(nil, closing{App: true, Code: 1, Reason: []byte{0xff}}),
			`{"frame_type":"connection_close","error_space":"application","error":"unknown","error_code":1,"reason_bytes":"ff"}`},
		{"datagram", wire.AppendDatagram(nil, wire.Datagram{Data: []byte("abc")}), `{"frame_type":"datagram","raw":{"length":3}}`},
		{"unknown", []byte{1, 0x3f, 1}, `{"frame_type":"ping"},{"frame_type":"unknown","frame_type_bytes":63,"raw":{"length":2}}`},
		{"truncated", []byte{0x04, 1}, `{"frame_type":"unknown","frame_type_bytes":4,"raw":{"length":2}}`},
		{"truncated type", []byte{1, 0x40}, `{"frame_type":"ping"}`},
	} {
		var r record
		r.frames(tt.payload)
		if want := `"frames":[` + tt.want + `]`; string(r.buf) != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, r.buf, want)
		}
		checkFrames(t, &r, seen)
	}
	for _, name := range qlogcheck.Frames() {
		if !seen[name] {
			t.Errorf("no %s frame was written", name)
		}
	}
}

// checkFrames demands that r holds a list of frames of the draft, and notes
// which they are.
func checkFrames(t *testing.T, r *record, seen map[string]bool) {
	t.Helper()
	var data struct {
		Frames []map[string]any `json:"frames"`
	}
	if err := json.Unmarshal([]byte("{"+string(r.buf)+"}"), &data); err != nil {
		t.Fatal(err)
	}
	for _, f := range data.Frames {
		if !qlogcheck.IsFrame(f) {
			t.Errorf("not as the draft wants it: %v", f)
		}
		seen[f["frame_type"].(string)] = true
	}
}

// TestRecordBound: what an event costs does not grow with what a peer packs
// into a packet.
func TestRecordBound(t *testing.T) {
	var ranges []wire.PacketRange
	for pn := wire.PacketNumber(1 << 40); len(ranges) < 20_000; pn -= 3 {
		ranges = append(ranges, wire.PacketRange{Smallest: pn, Largest: pn})
	}
	for name, payload := range map[string][]byte{
		"PINGs":       bytes.Repeat([]byte{byte(wire.FramePing)}, 60_000),
		"ACK ranges":  wire.AppendAck(nil, 60_000, 0, ranges, nil),
		"long reason": wire.AppendConnectionClose(nil, wire.ConnectionClose{Reason: bytes.Repeat([]byte("x"), 60_000)}),
	} {
		var r record
		r.frames(payload)
		if len(r.buf) > 2*maxRecord || len(r.buf) < maxReason {
			t.Errorf("%s: %d bytes", name, len(r.buf))
		}
	}
}

// FuzzFrames: no payload breaks a record's syntax or its bound.
func FuzzFrames(f *testing.F) {
	f.Add([]byte{})
	f.Add(wire.AppendAck(nil, 99, 3, []wire.PacketRange{{Smallest: 2, Largest: 4}, {Smallest: 0, Largest: 0}}, nil))
	f.Add(wire.AppendConnectionClose(nil, wire.ConnectionClose{Code: 1, Reason: []byte("\u2028\x00\"")}))
	f.Add(wire.AppendStream(wire.AppendPadding(nil, 3), wire.Stream{ID: 4, Data: []byte("x")}))
	f.Add([]byte{0x40, 0x04, 0xff})
	f.Fuzz(func(t *testing.T, payload []byte) {
		var r record
		r.open("", '{')
		r.frames(payload)
		r.close('}')
		if !json.Valid(r.buf) {
			t.Errorf("%x gives %s", payload, r.buf)
		}
		if len(r.buf) > 3*maxRecord {
			t.Errorf("%d bytes give %d", len(payload), len(r.buf))
		}
		if strings.ContainsRune(string(r.buf), recordSeparator) {
			t.Errorf("%x gives a record separator", payload)
		}
	})
}
