package sim

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// firstFlight notes what types of packets a client sends before anything comes back.
func firstFlight(r *Run) *[]string {
	first := new([]string)
	r.Watch = func(side wire.Side, c *engine.Conn, t engine.Transmit) error {
		if side == wire.ServerSide || c.Answered() {
			return nil
		}
		for data := t.Data; len(data) > 0; data = data[min(t.Segment, len(data)):] {
			for b := data[:min(t.Segment, len(data))]; len(b) > 0; {
				h, ok := wire.ParseLongHeader(b)
				if !ok {
					return fmt.Errorf("a packet that is not long in the first flight")
				}
				*first = append(*first, h.Type.String())
				b = b[h.PacketLen:]
			}
		}
		return nil
	}
	return first
}

// The request is in the first flight, in 0-RTT packets, and the answer a round trip earlier;
// rejected, it costs what it costs without.
func TestEarlyFirstFlight(t *testing.T) {
	const rtt = 50 * time.Millisecond
	run := func(fate EarlyData, retry bool) (*Run, []string) {
		r := &Run{
			Seed: 1, Nodes: []Node{&Delay{RTT: rtt}}, Early: fate, RequireRetry: retry,
			Work: Work{Streams: 1, Upload: 300, Download: 300},
		}
		first := firstFlight(r)
		if err := r.Do(); err != nil {
			t.Fatal(err)
		}
		if got := r.ClientConn().EarlyAccepted(); got != (fate == AcceptedEarlyData) || got != r.ServerConn().EarlyAccepted() {
			t.Errorf("accepted: %v", got)
		}
		return r, *first
	}
	for _, tt := range []struct {
		fate  EarlyData
		retry bool
		first string
		rtts  float64 // until the client has all
	}{
		{NoEarlyData, false, "Initial", 2},
		{AcceptedEarlyData, false, "Initial 0-RTT", 1},
		{RejectedEarlyData, false, "Initial 0-RTT", 2},
		{AcceptedEarlyData, true, "Initial 0-RTT Initial 0-RTT", 2},
	} {
		r, first := run(tt.fate, tt.retry)
		if got := strings.Join(first, " "); got != tt.first {
			t.Errorf("%+v: the first flight is %s", tt, got)
		}
		if got := float64(r.Transfer()) / float64(rtt); got < tt.rtts || got > tt.rtts+0.2 {
			t.Errorf("%+v: %.2f round trips until all was there", tt, got)
		}
	}
}

// Packet numbers of 0-RTT and 1-RTT packets are of one row, which goes on after a Retry
// (RFC 9000, Section 17.2.5.3).
func TestEarlyNumbers(t *testing.T) {
	for _, fate := range []EarlyData{AcceptedEarlyData, RejectedEarlyData} {
		var trace bytes.Buffer
		r := &Run{
			Seed: 2, Nodes: []Node{&Delay{RTT: 20 * time.Millisecond}}, Early: fate, RequireRetry: true,
			Work: Work{Streams: 3, Upload: 5000, Download: 300}, Trace: &trace,
		}
		if err := r.Do(); err != nil {
			t.Fatal(err)
		}
		last, early, oneRTT := -1, 0, false
		for line := range strings.Lines(trace.String()) {
			var number int
			var level string
			_, rest, ok := strings.Cut(line, "client sends ")
			if !ok {
				continue
			}
			if _, err := fmt.Sscanf(rest, "%s %d,", &level, &number); err != nil {
				t.Fatalf("%q: %v", rest, err)
			}
			if level != "0-RTT" && level != "1-RTT" {
				continue
			}
			if level == "0-RTT" {
				early++
			}
			if oneRTT = oneRTT || level == "1-RTT"; oneRTT && level == "0-RTT" {
				t.Errorf("0-RTT packet %d follows 1-RTT packets", number) // RFC 9001, Section 5.6
			}
			if number <= last {
				t.Errorf("%v %d after %d", level, number, last)
			}
			last = number
		}
		if early < 4 {
			t.Errorf("%d 0-RTT packets, want some before and after the Retry", early)
		}
	}
}
