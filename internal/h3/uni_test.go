package h3

import (
	"fmt"
	"testing"

	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
)

func TestUniStreams(t *testing.T) {
	for _, tt := range []struct {
		name           string
		streams        []string // fed one after another; the last one matters
		client, server ErrorCode
		verdict        uniVerdict
	}{
		{"nothing", []string{""}, 0, 0, uniContinue},
		{"half a type", []string{"40"}, 0, 0, uniContinue},
		{"encoder stream", []string{"02"}, 0, 0, uniContinue},
		{"decoder stream", []string{"03 48"}, 0, 0, uniContinue},
		{"type in eight bytes", []string{"c000000000000003 48"}, 0, 0, uniContinue},
		{"second control stream", []string{"00", "00"}, StreamCreationError, StreamCreationError, uniContinue},
		{"second encoder stream", []string{"02", "02"}, StreamCreationError, StreamCreationError, uniContinue},
		{"second decoder stream", []string{"03", "4003"}, StreamCreationError, StreamCreationError, uniContinue},
		{"one of each", []string{"03", "02", "00"}, 0, 0, uniContinue},
		{"encoder instruction", []string{"02 3fbd01"}, ErrorCode(qpack.EncoderStreamError), ErrorCode(qpack.EncoderStreamError), uniContinue},
		{"acknowledgment of nothing", []string{"03 80"}, ErrorCode(qpack.DecoderStreamError), ErrorCode(qpack.DecoderStreamError), uniContinue},
		{"push stream", []string{"01 00"}, IDError, StreamCreationError, uniContinue},
		{"reserved type", []string{"21"}, 0, 0, uniAbort},
		{"type of an extension", []string{"4054 00"}, 0, 0, uniAbort},
		{"reserved types again", []string{"21 0102", "40ff"}, 0, 0, uniAbort},
	} {
		for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
			c := newState(side, Settings{})
			var verdict uniVerdict
			var err error
			for _, stream := range tt.streams {
				var u peerStream
				err = inPieces(unhex(t, stream), 1, func(b []byte) (err error) {
					verdict, err = c.HandleUni(1, &u, b)
					return err
				})
			}
			want := tt.client
			if side == wire.ServerSide {
				want = tt.server
			}
			wantCode(t, fmt.Sprint(tt.name, ", ", side), err, want, true)
			if err == nil && verdict != tt.verdict {
				t.Errorf("%s: verdict %d, want %d", tt.name, verdict, tt.verdict)
			}
		}
	}
}

func TestUniStreamEnd(t *testing.T) {
	for stream, want := range map[string]ErrorCode{
		"":       0, // ended before its type arrived
		"40":     0,
		"21":     0,
		"00":     ClosedCriticalStream,
		"000400": ClosedCriticalStream,
		"02":     ClosedCriticalStream,
		"03":     ClosedCriticalStream,
	} {
		c := server()
		var u peerStream
		if _, err := c.HandleUni(1, &u, unhex(t, stream)); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "end of "+stream, c.HandleUniEnd(&u), want, true)
	}
}

// TestQPACKStreams has two ends exchange field sections, with what goes along on
// their QPACK streams.
func TestQPACKStreams(t *testing.T) {
	local := Settings{QPACKMaxTableCapacity: 220, QPACKBlockedStreams: 1}
	c, s := newState(wire.ClientSide, local), newState(wire.ServerSide, local)
	c.EnableEncoder(local.QPACKMaxTableCapacity, local.QPACKBlockedStreams)
	want := qpack.Field{Name: "x-bird", Value: "godwit"}
	section, due := c.Encoder().AppendSection(nil, 4, []qpack.Field{want})
	if !due {
		t.Error("nothing is due on the encoder stream")
	}
	var encoder, decoder peerStream
	b := c.Encoder().AppendInstructions([]byte{byte(StreamQPACKEncoder)})
	if _, err := s.HandleUni(1, &encoder, b); err != nil {
		t.Fatal(err)
	}
	var d qpack.Decoder
	got, err := s.Decoder().AppendFields(&d, &qpack.ReadStream{ID: 4}, nil, section, 100)
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("decoded %q, %v, want %q", got, err, want)
	}
	b = s.Decoder().AppendInstructions([]byte{byte(StreamQPACKDecoder)})
	if _, err := c.HandleUni(1, &decoder, b); err != nil {
		t.Fatal(err)
	}
	_, err = c.HandleUni(1, &decoder, b[1:])
	wantCode(t, "the same acknowledgment again", err, ErrorCode(qpack.DecoderStreamError), true)
}

// TestUnknownStreamsAreBounded holds a peer that opens streams of unknown types
// all the time, which is legitimate within reason.
func TestUnknownStreamsAreBounded(t *testing.T) {
	c := server()
	for i := range churnBurst + 1 {
		var u peerStream
		verdict, err := c.HandleUni(1, &u, []byte{0x21})
		if i == churnBurst {
			wantCode(t, "one too many", err, ExcessiveLoad, true)
		} else if err != nil || verdict != uniAbort {
			t.Fatalf("stream %d: %d, %v", i, verdict, err)
		}
	}
}

// TestRapidReset is the row "Rapid-reset/stream churn" of the known attacks.
func TestRapidReset(t *testing.T) {
	c := server()
	for i := range churnBurst {
		wantCode(t, fmt.Sprint("reset ", i), c.HandleWaste(1), 0, false)
	}
	c.HandleRequestDone()
	wantCode(t, "reset after a good request", c.HandleWaste(1), 0, false)
	wantCode(t, "one too many", c.HandleWaste(1), ExcessiveLoad, true)
}

// TestCancellationsAreBounded is the row "QPACK encoder state" of the known attacks: a
// peer cancels streams on which nothing was sent.
func TestCancellationsAreBounded(t *testing.T) {
	c := server()
	c.EnableEncoder(4096, 100)
	const requests = 40
	for i := range uint64(requests) {
		c.Encoder().AppendSection(nil, 4*i, []qpack.Field{{Name: ":status", Value: "200"}})
	}
	var u peerStream
	cancellation := []byte{0x40 | 4}
	_, err := c.HandleUni(1, &u, []byte{byte(StreamQPACKDecoder)})
	for range requests + churnBurst {
		if err == nil {
			_, err = c.HandleUni(1, &u, cancellation)
		}
	}
	wantCode(t, "as many as there were sections, and a burst", err, 0, false)
	_, err = c.HandleUni(1, &u, cancellation)
	wantCode(t, "one too many", err, ExcessiveLoad, true)
}
