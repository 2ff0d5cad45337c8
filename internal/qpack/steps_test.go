package qpack

import (
	"fmt"
	"slices"
	"testing"
)

// TestStepsAreLinear counts the steps that a peer's instructions and sections take, for
// some number of them and for four times as many, of what there may be of each at the
// same time. Twelve times the steps would be too many; what takes time with the
// square needs sixteen times.
func TestStepsAreLinear(t *testing.T) {
	const most = 96 // sections, streams that are blocked
	for name, work := range map[string]func(t *testing.T, n int) uint64{
		"cancellations of unknown streams": func(t *testing.T, n int) uint64 {
			p := stepsPair(t, n)
			for range n {
				p.tell(streamCancellation, 6, 1<<20)
			}
			return p.enc.steps
		},
		"cancellations of known streams, the last first": func(t *testing.T, n int) uint64 {
			p := stepsPair(t, n)
			for i := range n {
				p.tell(streamCancellation, 6, uint64(n-1-i))
			}
			return p.enc.steps
		},
		"acknowledgments, the last first": func(t *testing.T, n int) uint64 {
			p := stepsPair(t, n)
			for i := range n {
				p.tell(sectionAcknowledgment, 7, uint64(n-1-i))
			}
			return p.enc.steps
		},
		"increments by one": func(t *testing.T, n int) uint64 {
			p := stepsPair(t, n)
			for p.enc.known < p.enc.table.inserted {
				p.tell(insertCountIncrement, 6, 1)
			}
			return p.enc.steps
		},
		"sections of one stream": func(t *testing.T, n int) uint64 {
			p := newPair(t, 4096, most)
			for range n {
				p.exchange(4, Field{"same", "field"})
			}
			for range n {
				p.tell(sectionAcknowledgment, 7, 4)
			}
			return p.enc.steps
		},
		"fields of one name": func(t *testing.T, n int) uint64 {
			p := newPair(t, 4096, most)
			for i := range 40 * n { // far more than the table has room for
				p.exchange(uint64(i), Field{"name", fmt.Sprint(i / 2)})
				p.acknowledge()
			}
			return p.enc.index.steps
		},
		"insertions that unblock nothing": func(t *testing.T, n int) uint64 {
			r := stepsReader(t, n, func(int) uint64 { return uint64(n + 2) })
			for range n {
				r.insert("00") // Duplicate
			}
			return r.table.steps
		},
		"insertions that unblock all": func(t *testing.T, n int) uint64 {
			r := stepsReader(t, n, func(int) uint64 { return uint64(n + 2) })
			for range n + 1 {
				r.insert("00")
			}
			if r.table.parked != nil {
				t.Errorf("%d sections are parked", len(r.table.parked))
			}
			return r.table.steps
		},
	} {
		t.Run(name, func(t *testing.T) {
			few, many := work(t, most/4), work(t, most)
			if many > 12*few+most {
				t.Errorf("%d take %d steps, %d take %d", most/4, few, most, many)
			}
		})
	}
}

// stepsPair is a pair with n sections that are not acknowledged, each of which may
// block its stream.
func stepsPair(t *testing.T, n int) *pair {
	p := newPair(t, 4096, n)
	for i := range n {
		p.exchange(uint64(i), Field{fmt.Sprint("n", i%60), "v"})
	}
	if len(p.enc.sent) != n || p.enc.atRisk == 0 {
		t.Fatalf("%d of %d sections refer to the table, %d at risk", len(p.enc.sent), n, p.enc.atRisk)
	}
	return p
}

// tell gives the encoder a decoder instruction.
func (p *pair) tell(first byte, n uint, value uint64) {
	p.t.Helper()
	if err := p.enc.HandleDecoderStream(appendInteger(nil, first, n, value)); err != nil {
		p.t.Fatal(err)
	}
	p.wantConsistent(fmt.Sprintf("%#x, %d", first, value))
}

// stepsReader is a reader with an entry and with n sections that wait for an Insert
// Count each.
func stepsReader(t *testing.T, n int, required func(i int) uint64) *reader {
	r := newReader(t, 4096, n)
	r.insert("3fe11f 4161 0131")
	for i := range n {
		section := append(appendPrefix(nil, required(i), required(i), 128), 0x80)
		if parked, err := r.park(&ReadStream{ID: uint64(i)}, section, ordered{i, new([]int)}); !parked || err != nil {
			t.Fatalf("section %d: parked %v, %v", i, parked, err)
		}
	}
	return r
}

// TestUnparkInAnyOrder: giving up sections that wait takes no search.
func TestUnparkInAnyOrder(t *testing.T) {
	const n = 20
	r := newReader(t, 4096, n)
	r.insert("3fe11f 4161 0131")
	var unblocked []int
	streams := make([]*ReadStream, n)
	for i := range streams {
		streams[i] = &ReadStream{ID: uint64(i)}
		section := append(appendPrefix(nil, 2, 2, 128), 0x80)
		if parked, err := r.park(streams[i], section, ordered{i, &unblocked}); !parked || err != nil {
			t.Fatalf("section %d: parked %v, %v", i, parked, err)
		}
	}
	for i := 1; i < n; i += 2 {
		r.table.Unpark(streams[(i*7)%n])
		r.table.Unpark(streams[(i*7)%n])
	}
	for i, p := range r.table.parked {
		if int(p.stream.parked) != i+1 {
			t.Errorf("the section at %d is noted at %d", i, p.stream.parked-1)
		}
	}
	r.insert("00")
	slices.Sort(unblocked)
	want := []int{0, 2, 4, 6, 8, 10, 12, 14, 16, 18}
	if !slices.Equal(unblocked, want) || r.table.parkedBytes != 0 {
		t.Errorf("unblocked %v, want %v; %d bytes are left", unblocked, want, r.table.parkedBytes)
	}
}

// TestUselessCancellations: a peer may cancel each stream on which something was sent,
// and what it cancels beyond is counted.
func TestUselessCancellations(t *testing.T) {
	p := newPair(t, 4096, 10)
	cancel := func(n int) int {
		for i := range n {
			p.tell(streamCancellation, 6, uint64(1000+i))
		}
		return p.enc.TakeUseless()
	}
	for i := range uint64(10) {
		p.exchange(i, Field{":method", "GET"})
	}
	if useless := cancel(10); useless != 0 {
		t.Errorf("10 cancellations after 10 sections: %d are of no use", useless)
	}
	if useless := cancel(7); useless != 7 {
		t.Errorf("7 cancellations more: %d are of no use", useless)
	}
	if useless := p.enc.TakeUseless(); useless != 0 {
		t.Errorf("%d are counted twice", useless)
	}
	p = &pair{t: t, enc: new(EncoderTable)}
	p.enc.Enable(0, 0)
	if useless := cancel(7); useless != 0 {
		t.Errorf("without a table %d cancellations are of no use", useless)
	}
}
