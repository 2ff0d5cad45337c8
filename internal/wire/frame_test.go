package wire

import (
	"bytes"
	"strings"
	"testing"
)

// reappend reads one frame of type t from b and returns its length and the
// frame appended again. It returns -1 for what does not parse and for types
// nobody defined.
func reappend(t FrameType, b []byte) (again []byte, n int) {
	var (
		v    uint64
		data PathData
	)
	switch {
	case t == FramePadding:
		return AppendPadding(nil, 1), 0
	case t == FramePing:
		return AppendPing(nil), 0
	case t == FrameHandshakeDone:
		return AppendHandshakeDone(nil), 0
	case t == FrameAck || t == FrameAckECN:
		return reappendAck(t, b)
	case t.IsStream():
		var f Stream
		n = ConsumeStream(t, b, &f)
		again = AppendStream(nil, f)
	case t == FrameResetStreamAt:
		var f ResetStreamAt
		n = ConsumeResetStreamAt(b, &f)
		again = AppendResetStreamAt(nil, f)
	case t == FrameResetStream:
		var f ResetStream
		n = ConsumeResetStream(b, &f)
		again = AppendResetStream(nil, f)
	case t == FrameStopSending:
		var f StopSending
		n = ConsumeStopSending(b, &f)
		again = AppendStopSending(nil, f)
	case t == FrameCrypto:
		var f Crypto
		n = ConsumeCrypto(b, &f)
		again = AppendCrypto(nil, f)
	case t == FrameNewToken:
		var f NewToken
		n = ConsumeNewToken(b, &f)
		again = AppendNewToken(nil, f)
	case t == FrameMaxData:
		n = ConsumeMaxData(b, &v)
		again = AppendMaxData(nil, v)
	case t == FrameDataBlocked:
		n = ConsumeDataBlocked(b, &v)
		again = AppendDataBlocked(nil, v)
	case t == FrameMaxStreamData:
		var f MaxStreamData
		n = ConsumeMaxStreamData(b, &f)
		again = AppendMaxStreamData(nil, f)
	case t == FrameStreamDataBlocked:
		var f StreamDataBlocked
		n = ConsumeStreamDataBlocked(b, &f)
		again = AppendStreamDataBlocked(nil, f)
	case t == FrameMaxStreamsBidi || t == FrameMaxStreamsUni:
		n = ConsumeMaxStreams(b, &v)
		again = AppendMaxStreams(nil, t == FrameMaxStreamsUni, v)
	case t == FrameStreamsBlockedBidi || t == FrameStreamsBlockedUni:
		n = ConsumeStreamsBlocked(b, &v)
		again = AppendStreamsBlocked(nil, t == FrameStreamsBlockedUni, v)
	case t == FrameNewConnectionID:
		var f NewConnectionIDFrame
		n = ConsumeNewConnectionID(b, &f)
		again = AppendNewConnectionID(nil, &f)
	case t == FrameRetireConnectionID:
		n = ConsumeRetireConnectionID(b, &v)
		again = AppendRetireConnectionID(nil, v)
	case t == FramePathChallenge:
		n = ConsumePathChallenge(b, &data)
		again = AppendPathChallenge(nil, data)
	case t == FramePathResponse:
		n = ConsumePathResponse(b, &data)
		again = AppendPathResponse(nil, data)
	case t == FrameConnectionClose || t == FrameConnectionCloseApp:
		var f ConnectionClose
		n = ConsumeConnectionClose(t, b, &f)
		again = AppendConnectionClose(nil, f)
	case t == FrameDatagram || t == FrameDatagramLen:
		var f Datagram
		n = ConsumeDatagram(t, b, &f)
		again = AppendDatagram(nil, f)
	default:
		n = -1
	}
	return again, n
}

func reappendAck(t FrameType, b []byte) ([]byte, int) {
	var f Ack
	n := ConsumeAck(t, b, &f)
	if n < 0 {
		return nil, n
	}
	var ranges []PacketRange
	for r := range f.Ranges() {
		ranges = append(ranges, r)
	}
	var ecn *ECNCounts
	if f.ECN {
		ecn = &f.Counts
	}
	return AppendAck(nil, 1<<30, f.Delay, ranges, ecn), n
}

// frames are the shortest encodings as this package writes them: the fields of
// RFC 9000, Section 19, one word each.
var frames = []string{
	"00",
	"01",
	"02 4100 05 00 40c8",
	"02 4100 05 02 00 00 01 407d 407e",
	"03 4100 05 00 40c8 01 4102 03",
	"04 04 4123 52ff",
	"05 05 80004000",
	"06 4400 03 616263",
	"06 00 00",
	"07 05 746f6b656e",
	"0a 04 02 6869",
	"0b 04 00",
	"0e 04 7fff 02 6869",
	"0f c000000100000000 80010000 01 21",
	"10 80100000",
	"11 08 80100000",
	"12 4080",
	"13 d000000000000000",
	"14 80100000",
	"15 08 80100000",
	"16 4080",
	"17 4080",
	"18 02 01 04 c1c2c3c4 000102030405060708090a0b0c0d0e0f",
	"18 00 00 14 c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3 000102030405060708090a0b0c0d0e0f",
	"19 03",
	"1a 0001020304050607",
	"1b 0001020304050607",
	"1c 0a 06 03 627965",
	"1c 4178 00 00",
	"1d 4100 03 627965",
	"1e",
	"31 03 616263",
	"31 00",
}

func TestFrames(t *testing.T) {
	for _, tt := range frames {
		b := unhex(t, strings.ReplaceAll(tt, " ", ""))
		ft, tn := ConsumeFrameType(b)
		again, n := reappend(ft, b[tn:])
		if tn+n != len(b) || !bytes.Equal(again, b) {
			t.Errorf("%v %s: read %d bytes, wrote %x", ft, tt, n, again)
		}
		for i := tn; i < len(b); i++ {
			if _, n := reappend(ft, b[tn:i]); n != -1 {
				t.Errorf("%v %s: read though truncated to %d bytes", ft, tt, i)
			}
		}
		// Bytes that follow belong to the next frame.
		if _, m := reappend(ft, append(bytes.Clone(b[tn:]), 0x01)); m != n {
			t.Errorf("%v %s: %d bytes long, %d when another frame follows", ft, tt, n, m)
		}
	}
}

func TestFramesInvalid(t *testing.T) {
	tests := []struct{ name, frame string }{
		{"ACK of a packet below 0", "02 05 00 00 06"},
		{"ACK with a gap below 0", "02 05 00 01 00 04 00"},
		{"ACK with a range below 0", "02 05 00 01 00 00 04"},
		{"ACK with a huge gap and range", "02 05 00 01 00 ffffffffffffffff ffffffffffffffff"},
		{"ACK with more ranges than bytes", "02 7fff 00 ffffffffffffffff 00 00 00"},
		{"ACK without its ECN counts", "03 05 00 00 00 01 01"},
		{"CRYPTO beyond the last offset", "06 ffffffffffffffff 01 00"},
		{"NEW_TOKEN that is empty", "07 00"},
		{"STREAM beyond the last offset", "0e 00 ffffffffffffffff 01 00"},
		{"STREAM without length beyond the last offset", "0c 00 ffffffffffffffff 00"},
		{"MAX_STREAMS over 2^60", "12 d000000000000001"},
		{"MAX_STREAMS over 2^60", "13 d000000000000001"},
		{"STREAMS_BLOCKED over 2^60", "16 d000000000000001"},
		{"STREAMS_BLOCKED over 2^60", "17 d000000000000001"},
		{"NEW_CONNECTION_ID that is empty", "18 00 00 00 000102030405060708090a0b0c0d0e0f"},
		{"NEW_CONNECTION_ID of 21 bytes", "18 00 00 15 000102030405060708090a0b0c0d0e0f1011121314 000102030405060708090a0b0c0d0e0f"},
		{"NEW_CONNECTION_ID that retires itself", "18 01 02 01 00 000102030405060708090a0b0c0d0e0f"},
		{"unknown frame", "1f"},
	}
	for _, tt := range tests {
		b := unhex(t, strings.ReplaceAll(tt.frame, " ", ""))
		ft, tn := ConsumeFrameType(b)
		if again, n := reappend(ft, b[tn:]); n != -1 {
			t.Errorf("%s: read %d bytes as %x", tt.name, n, again)
		}
	}
}

func TestStreamToEnd(t *testing.T) {
	b := AppendStreamHeader(nil, 4, 0, 5, false, true)
	b = append(b, "hello"...)
	var f Stream
	n := ConsumeStream(FrameType(b[0]), b[1:], &f)
	if n != len(b)-1 || f.ID != 4 || f.Offset != 0 || !f.Fin || string(f.Data) != "hello" {
		t.Errorf("read %d of %d bytes as %+v", n, len(b)-1, f)
	}
}

func TestDatagramToEnd(t *testing.T) {
	var f Datagram
	if n := ConsumeDatagram(FrameDatagram, []byte("hello"), &f); n != 5 || string(f.Data) != "hello" {
		t.Errorf("read %d bytes as %q", n, f.Data)
	}
}

func TestSizes(t *testing.T) {
	for _, v := range []uint64{0, 1, 63, 64, 16383, 16384, 1<<30 - 1, 1 << 30, MaxVarint} {
		for _, length := range []int{0, 63, 64, 1200, 16384} {
			if got, want := SizeStreamHeader(StreamID(v), v, length), len(AppendStreamHeader(nil, StreamID(v), v, length, true, true)); got != want {
				t.Errorf("SizeStreamHeader(%d, %d, %d) = %d, want %d", v, v, length, got, want)
			}
			if got, want := SizeCryptoHeader(v, length), len(AppendCryptoHeader(nil, v, length)); got != want {
				t.Errorf("SizeCryptoHeader(%d, %d) = %d, want %d", v, length, got, want)
			}
		}
	}
}

func TestPadding(t *testing.T) {
	b := AppendPadding(bytes.Repeat([]byte{0xff}, 100)[:1], 5)
	if want := []byte{0xff, 0, 0, 0, 0, 0}; !bytes.Equal(b, want) {
		t.Errorf("AppendPadding = %x, want %x", b, want)
	}
	for in, want := range map[string]int{"": 0, "01": 0, "000001": 2, "0000": 2, "000000000000000000000001": 11, "0000000000000000": 8} {
		if got := ConsumePadding(unhex(t, in)); got != want {
			t.Errorf("ConsumePadding(%s) = %d, want %d", in, got, want)
		}
	}
}

// FuzzFrames reads a frame, appends it again and expects to read the same from
// that, byte by byte. The cursor never leaves the input.
func FuzzFrames(f *testing.F) {
	for _, s := range frames {
		f.Add(unhex(f, strings.ReplaceAll(s, " ", "")))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ft, tn := ConsumeFrameType(b)
		if tn < 0 {
			return
		}
		again, n := reappend(ft, b[tn:])
		if n < 0 {
			return
		}
		if tn+n > len(b) {
			t.Fatalf("%v: read %d bytes of %d", ft, tn+n, len(b))
		}
		ft2, tn := ConsumeFrameType(again)
		third, n := reappend(ft2, again[tn:])
		if tn+n != len(again) || !bytes.Equal(third, again) {
			t.Fatalf("%v: %x became %x, then %x", ft, b, again, third)
		}
	})
}
