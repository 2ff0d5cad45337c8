package qlogcheck

import (
	"encoding/json"
	"testing"
)

// TestChecks: the check finds what is wrong.
func TestChecks(t *testing.T) {
	for _, frame := range []string{
		`null`, `{}`, `{"frame_type":"pong"}`, `{"frame_type":"ping","extra":1}`, `{"frame_type":"max_data"}`,
		`{"frame_type":"max_data","maximum":"many"}`, `{"frame_type":"ack","acked_ranges":[]}`,
		`{"frame_type":"ack","acked_ranges":[[1,2,3]]}`, `{"frame_type":"path_challenge","data":"abc"}`,
		`{"frame_type":"connection_close","error":"crypto_error_0x2ff"}`, `{"frame_type":"ping","raw":{"size":1}}`,
	} {
		var v any
		if err := json.Unmarshal([]byte(frame), &v); err != nil {
			t.Fatal(err)
		}
		if IsFrame(v) {
			t.Errorf("%s passes", frame)
		}
	}
	const header = "\x1e" + `{"file_schema":"urn:ietf:params:qlog:file:sequential","serialization_format":"application/qlog+json-seq",` +
		`"trace":{"vantage_point":{"type":"client"},"common_fields":{"group_id":"01"},"event_schemas":["x"]}}` + "\n"
	const end = `,"name":"quic:connection_state_updated","data":{"new":"closed"}}` + "\n"
	if seen, err := File([]byte(header+"\x1e"+`{"time":1`+end), "client"); err != nil || seen["quic:connection_state_updated"] != 1 {
		t.Errorf("a log that is as it should be: %v, %v", seen, err)
	}
	for name, log := range map[string]string{
		"nothing":         "",
		"no sequence":     header[1:],
		"no line":         header[:len(header)-1],
		"no header":       "\x1e" + `{"time":1` + end,
		"another end":     header + "\x1e" + `{"time":2` + end,
		"time goes back":  header + "\x1e" + `{"time":2` + end + "\x1e" + `{"time":1` + end,
		"unknown event":   header + "\x1e" + `{"time":2,"name":"quic:born","data":{}}` + "\n",
		"unknown field":   header + "\x1e" + `{"time":2,"name":"quic:mtu_updated","data":{"new":1,"now":2}}` + "\n",
		"missing field":   header + "\x1e" + `{"time":2,"name":"quic:mtu_updated","data":{}}` + "\n",
		"cut in a record": header + "\x1e" + `{"time":2` + "\n",
	} {
		vantage := "client"
		if name == "another end" {
			vantage = "server"
		}
		if _, err := File([]byte(log), vantage); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}
