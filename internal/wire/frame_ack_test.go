package wire

import (
	"slices"
	"testing"
)

func TestAckRanges(t *testing.T) {
	want := []PacketRange{{900, 1000}, {898, 898}, {100, 300}, {0, 7}}
	b := AppendAck(nil, 1200, 5, want, nil)
	var f Ack
	if n := ConsumeAck(FrameAck, b[1:], &f); n != len(b)-1 {
		t.Fatalf("ConsumeAck = %d, want %d", n, len(b)-1)
	}
	if f.Largest != 1000 || f.Delay != 5 || f.ECN {
		t.Errorf("read %+v", f)
	}
	if got := slices.Collect(f.Ranges()); !slices.Equal(got, want) {
		t.Errorf("ranges are %v, want %v", got, want)
	}
	for r := range f.Ranges() {
		if r != want[0] {
			t.Errorf("first range is %v, want %v", r, want[0])
		}
		break
	}
}

func TestAckECN(t *testing.T) {
	want := ECNCounts{ECT0: 1, ECT1: 2000, CE: 3}
	b := AppendAck(nil, 1200, 0, []PacketRange{{0, MaxVarint}}, &want)
	f := Ack{}
	if n := ConsumeAck(FrameType(b[0]), b[1:], &f); n != len(b)-1 || !f.ECN || f.Counts != want {
		t.Errorf("ConsumeAck = %d, %+v; want counts %+v", n, f, want)
	}
}

// TestAckFits checks for every size that the frame is within it, holds a prefix
// of the ranges and wastes at most what a longer range count would take.
func TestAckFits(t *testing.T) {
	var ranges []PacketRange
	for pn := PacketNumber(100_000); len(ranges) < 100; pn -= 200 {
		ranges = append(ranges, PacketRange{pn - 70, pn})
	}
	ecn := &ECNCounts{ECT0: 70_000}
	all := AppendAck(nil, 1<<20, 9, ranges, ecn)
	previous := 0
	for size := range len(all) + 5 {
		b := AppendAck([]byte("ab"), size, 9, ranges, ecn)[2:]
		if len(b) > size {
			t.Fatalf("%d bytes do not fit into %d", len(b), size)
		}
		if len(b) == 0 {
			if size >= 20 {
				t.Errorf("nothing fits into %d bytes", size)
			}
			continue
		}
		var f Ack
		if n := ConsumeAck(FrameType(b[0]), b[1:], &f); n != len(b)-1 {
			t.Fatalf("size %d: ConsumeAck = %d, want %d", size, n, len(b)-1)
		}
		got := slices.Collect(f.Ranges())
		if len(got) < previous || !slices.Equal(got, ranges[:len(got)]) {
			t.Fatalf("size %d: ranges are %v", size, got)
		}
		previous = len(got)
	}
	if previous != len(ranges) {
		t.Errorf("%d of %d ranges fit at last", previous, len(ranges))
	}
	if got := AppendAck(nil, 1200, 0, nil, nil); len(got) != 0 {
		t.Errorf("no ranges make the frame %x", got)
	}
}

func TestAckDoesNotAllocate(t *testing.T) {
	var ranges []PacketRange
	for pn := PacketNumber(1000); pn > 0; pn -= 10 {
		ranges = append(ranges, PacketRange{pn - 3, pn})
	}
	buf := make([]byte, 0, 1200)
	var sum PacketNumber
	if n := testing.AllocsPerRun(100, func() {
		b := AppendAck(buf, 1200, 9, ranges, nil)
		var f Ack
		ConsumeAck(FrameAck, b[1:], &f)
		for r := range f.Ranges() {
			sum += r.Largest
		}
	}); n != 0 {
		t.Errorf("%v allocations for an ACK frame, want 0", n)
	}
}

func BenchmarkAck(b *testing.B) {
	ranges := []PacketRange{{900, 1000}, {800, 890}, {100, 300}}
	enc := AppendAck(nil, 1200, 9, ranges, nil)
	b.ReportAllocs()
	var sum PacketNumber
	for b.Loop() {
		var f Ack
		ConsumeAck(FrameAck, enc[1:], &f)
		for r := range f.Ranges() {
			sum += r.Largest - r.Smallest
		}
	}
}

func BenchmarkStream(b *testing.B) {
	enc := AppendStream(nil, Stream{ID: 4, Offset: 1 << 20, Data: make([]byte, 1200)})
	b.ReportAllocs()
	for b.Loop() {
		var f Stream
		ConsumeStream(FrameType(enc[0]), enc[1:], &f)
	}
}
