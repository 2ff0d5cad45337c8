package qpack

import (
	"fmt"
	"testing"
)

// TestAdvisor checks what is inserted of fields with values that repeat and with
// values that do not.
func TestAdvisor(t *testing.T) {
	p := newPair(t, 4096, 100)
	for i := range uint64(100) {
		p.exchange(i, Field{"unique", fmt.Sprint("u", i)}, Field{"same", "value"}, Field{"some", fmt.Sprint("s", i%3)})
		p.acknowledge()
	}
	counts := make(map[string]int)
	for i := p.enc.table.dropped; i < p.enc.table.inserted; i++ {
		counts[p.enc.table.at(i).Name]++
	}
	if counts["unique"] != initialCredit || counts["same"] != 1 || counts["some"] != 3 || p.enc.table.dropped != 0 {
		t.Errorf("inserted %v", counts)
	}
	// A value of a name without credit is inserted when it occurs again.
	again := Field{"unique", "u99"}
	p.exchange(1000, again)
	if p.enc.table.inserted == initialCredit+4 {
		t.Error("a field that occurs again was not inserted")
	}
}

func TestAdvisorForgets(t *testing.T) {
	var a advisor
	for i := range uint32(advisorFields) {
		if _, again := a.advise(1, 1000+i); again {
			t.Fatalf("field %d is taken for another", i)
		}
	}
	if _, again := a.advise(1, 1000); !again {
		t.Error("a field was forgotten that should not be")
	}
	a.advise(1, 5000)
	if _, again := a.advise(1, 1000); again {
		t.Error("more fields are remembered than there is room for")
	}
	for i := range uint32(advisorNames) {
		if insert, _ := a.advise(2+i, 10000+i); !insert {
			t.Errorf("name %d has no credit at first", i)
		}
	}
	for range 2 * maxCredit {
		a.reward(2)
	}
	if c := *a.credit(2); c != maxCredit {
		t.Errorf("credit %d, want %d", c, maxCredit)
	}
}

// TestUsedEntriesStay fills a table over and over with fields of which one is
// used all the time: it is duplicated rather than sent again.
func TestUsedEntriesStay(t *testing.T) {
	p := newPair(t, 256, 100)
	used := Field{"used", "a value that is rather long, as values go"}
	size := 0
	for i := range uint64(200) {
		rest := Field{"r", fmt.Sprint("repeats ", i/2)}
		section, instructions := p.exchange(i, rest, used)
		size += len(section) + len(instructions)
		if last := section[len(section)-1]; last&indexedStatic != indexedDynamic {
			t.Fatalf("section %d: %x does not end with a reference", i, section)
		}
		p.acknowledge()
	}
	if p.enc.table.dropped < 90 {
		t.Errorf("%d entries evicted", p.enc.table.dropped)
	}
	// 4 bytes of prefix and references, and for every second one an insertion.
	if size > 200*13 {
		t.Errorf("%d bytes for 200 sections", size)
	}
}

// TestDraining keeps sections under way that refer to the oldest entry all the
// time. New fields are inserted nevertheless, after some time.
func TestDraining(t *testing.T) {
	p := newPair(t, 256, 100)
	used := Field{"used", "always"}
	old := func(i uint64) Field { return Field{"old", fmt.Sprint("value ", i)} }
	fresh := func(i uint64) Field { return Field{"fresh", fmt.Sprint("value ", i%2)} }
	var acks [][]byte
	drained := false
	for i := range uint64(400) {
		fields := []Field{used, old(i % 4)}
		if i >= 100 {
			fields[1] = fresh(i)
		}
		section, _ := p.exchange(i, fields...)
		p.wantConsistent(fmt.Sprint("section ", i))
		drained = drained || p.enc.drain.index > p.enc.table.dropped
		acks = append(acks, p.dec.AppendInstructions(nil))
		if len(acks) > 3 {
			if err := p.enc.HandleDecoderStream(acks[0]); err != nil {
				t.Fatal(err)
			}
			acks = acks[1:]
		}
		if i >= 398 && len(section) != 4 {
			t.Errorf("section %d takes %d bytes", i, len(section))
		}
	}
	if !drained {
		t.Error("the table was never drained")
	}
	for i := range uint64(2) {
		f := fresh(i)
		if _, ok := p.enc.index.findField(&p.enc.table, &f, fieldHash(nameHash(f.Name), f.Value)); !ok {
			t.Errorf("%q was not inserted", f)
		}
	}
}

// TestIndexFindsNewest checks chains of entries, evicted ones included.
func TestIndexFindsNewest(t *testing.T) {
	var e EncoderTable
	e.Enable(20*34, 0)
	for i := range uint64(1000) {
		f := Field{string(rune('a' + i%7)), string(rune('a' + i%11))}
		e.table.evict(uint64(f.Size()))
		e.insert(f, nameHash(f.Name), fieldHash(nameHash(f.Name), f.Value))
		for back := range uint64(30) {
			f := Field{string(rune('a' + back%7)), string(rune('a' + back%11))}
			wantName, wantField := uint64(noReference), uint64(noReference)
			for j := e.table.dropped; j < e.table.inserted; j++ {
				if e.table.at(j).Name == f.Name {
					wantName = j
				}
				if *e.table.at(j) == f {
					wantField = j
				}
			}
			index, ok := e.index.findName(&e.table, f.Name, nameHash(f.Name))
			if ok != (wantName != noReference) || ok && index != wantName {
				t.Fatalf("after %d: name %q at %d, %v, want %d", i, f.Name, index, ok, wantName)
			}
			index, ok = e.index.findField(&e.table, &f, fieldHash(nameHash(f.Name), f.Value))
			if ok != (wantField != noReference) || ok && index != wantField {
				t.Fatalf("after %d: field %q at %d, %v, want %d", i, f, index, ok, wantField)
			}
		}
	}
}
