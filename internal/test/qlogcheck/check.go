// Package qlogcheck holds logs to the drafts of qlog: what a file looks like
// (draft-ietf-quic-qlog-main-schema, Sections 5 and 11.2), and which events there are, with
// which fields and values.
package qlogcheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Events returns the names of all events that are known.
func Events() []string {
	return slices.Sorted(maps.Keys(known()))
}

func known() map[string]object {
	all := maps.Clone(schemaEvents)
	maps.Copy(all, httpEvents)
	return all
}

// File checks a whole log, and returns how often each event is in it. vantage is "client"
// or "server".
func File(log []byte, vantage string) (map[string]int, error) {
	records := strings.Split(string(log), "\x1e") // RFC 7464, Section 2.2
	if records[0] != "" || len(records) < 2 {
		return nil, errors.New("the log is no JSON text sequence")
	}
	for i, r := range records[1:] {
		if !strings.HasSuffix(r, "\n") {
			return nil, fmt.Errorf("record %d does not end its line: %q", i, r)
		}
	}
	if err := checkHeader(records[1], vantage); err != nil {
		return nil, err
	}
	seen := make(map[string]int)
	last := 0.0
	for _, r := range records[2:] {
		name, at, err := checkEvent(r)
		if err != nil {
			return seen, err
		}
		if at < last {
			return seen, fmt.Errorf("time goes back from %v: %s", last, r)
		}
		last = at
		seen[name]++
	}
	return seen, nil
}

// isHeader is QlogFileSeq, with TraceSeq (main schema, Section 5).
var isHeader = object{
	"file_schema":          oneOf("urn:ietf:params:qlog:file:sequential"),
	"serialization_format": oneOf("application/qlog+json-seq"),
	"?title":               text, "?description": text,
	"trace": object{
		"?title": text, "?description": text,
		"vantage_point": object{"?name": text, "type": oneOf("client", "server", "network", "unknown"), "?flow": text}.is,
		"common_fields": object{
			"?group_id":    hexadecimal,
			"?time_format": oneOf("relative_to_epoch"),
			"?reference_time": object{"clock_type": oneOf("monotonic"), "epoch": oneOf("unknown"),
				"?wall_clock_time": text}.is,
		}.is,
		"event_schemas": list(text, 1),
	}.is,
}

// checkHeader checks a file's first record.
func checkHeader(record, vantage string) error {
	var v any
	if err := json.Unmarshal([]byte(record), &v); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if !isHeader.is(v) {
		return fmt.Errorf("no header as the draft wants it: %s", record)
	}
	trace := v.(map[string]any)["trace"].(map[string]any)
	if got := trace["vantage_point"].(map[string]any)["type"]; got != vantage {
		return fmt.Errorf("the vantage point is %v, not %s", got, vantage)
	}
	return nil
}

// checkEvent checks an event, and returns its name and time.
func checkEvent(record string) (name string, at float64, err error) {
	var e map[string]any
	if err := json.Unmarshal([]byte(record), &e); err != nil {
		return "", 0, fmt.Errorf("%s: %w", record, err)
	}
	name, _ = e["name"].(string)
	data, ok := known()[name]
	if !ok {
		return name, 0, fmt.Errorf("the drafts have no event %q", name)
	}
	if shape := (object{"time": number, "name": text, "data": data.is}); !shape.is(e) {
		return name, 0, fmt.Errorf("not as the draft wants it: %s", record)
	}
	at, _ = e["time"].(float64)
	return name, at, nil
}
