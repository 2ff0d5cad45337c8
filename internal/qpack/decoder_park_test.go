package qpack

import (
	"slices"
	"testing"
)

// park parks a section that has to wait.
func (r *reader) park(s *ReadStream, section []byte, w Waiter) (bool, error) {
	r.t.Helper()
	if fields, err := r.table.AppendFields(&r.decoder, s, nil, section, manyBytes); err != ErrBlocked || fields != nil {
		r.t.Fatalf("stream %d: %q, %v, want %v", s.ID, fields, err, ErrBlocked)
	}
	return r.table.Park(s, section, w)
}

// ordered notes the order in which streams are unblocked.
type ordered struct {
	id  int
	all *[]int
}

func (o ordered) HandleUnblocked() { *o.all = append(*o.all, o.id) }

func TestPark(t *testing.T) {
	r := newReader(t, 4096, 3)
	var order []int
	streams := make([]*ReadStream, 4)
	// Stream 0 needs three insertions, 1 needs one, 2 needs two.
	for i, section := range []string{"0400 80", "0200 80", "0300 80"} {
		streams[i] = &ReadStream{ID: uint64(i)}
		if parked, err := r.park(streams[i], unhex(t, section), ordered{i, &order}); !parked || err != nil {
			t.Fatalf("stream %d: parked %v, %v", i, parked, err)
		}
	}
	if _, err := r.park(&ReadStream{ID: 3}, unhex(t, "0200 80"), ordered{3, &order}); err != error(errBlocked) {
		t.Errorf("one stream too many: %v, want %v", err, errBlocked)
	}
	r.insert("3fe11f")
	r.insert("4161 01")
	if len(order) != 0 {
		t.Errorf("unblocked %v before anything was inserted", order)
	}
	r.insert("31")
	if !slices.Equal(order, []int{1}) {
		t.Errorf("after one insertion: unblocked %v", order)
	}
	r.insert("4162 0132 4163 0133")
	if !slices.Equal(order, []int{1, 0, 2}) || r.table.parked != nil || r.table.parkedBytes != 0 {
		t.Errorf("unblocked %v, left %d, %d bytes", order, len(r.table.parked), r.table.parkedBytes)
	}
	if parked, err := r.table.Park(streams[0], unhex(t, "0400 80"), ordered{0, &order}); parked || err != nil {
		t.Errorf("parked %v, %v, though the insertions are there", parked, err)
	}
	r.wantFields(0, "0400 80", Field{"c", "3"})
	r.wantOwed("80")
}

// TestParkBounds is the row "QPACK blocked streams" of the known attacks.
func TestParkBounds(t *testing.T) {
	r := newReader(t, 4096, 100)
	section := append(unhex(t, "0200 80"), make([]byte, 10<<10)...)
	var w waiter
	parked := 0
	for i := range uint64(100) {
		ok, err := r.park(&ReadStream{ID: i}, section, &w)
		if err == ErrBlockedTooLarge {
			break
		}
		if !ok || err != nil {
			t.Fatalf("stream %d: %v, %v", i, ok, err)
		}
		parked++
	}
	if parked != maxBlockedBytes/len(section) || r.table.parkedBytes != parked*len(section) {
		t.Errorf("%d parked, %d bytes", parked, r.table.parkedBytes)
	}
	// One that is not decoded makes room for another.
	r.table.Abandon(r.table.parked[2].stream)
	if w != 1 {
		t.Errorf("%d waiters called for one stream abandoned", w)
	}
	if ok, err := r.park(&ReadStream{ID: 100}, section, &w); !ok || err != nil {
		t.Errorf("parked %v, %v", ok, err)
	}
	none := newReader(t, 4096, 0)
	if _, err := none.park(&ReadStream{}, unhex(t, "0200 80"), &w); err != error(errBlocked) {
		t.Errorf("%v, want %v", err, errBlocked)
	}
}

func TestAbandon(t *testing.T) {
	r := newReader(t, 4096, 1)
	s, s2 := &ReadStream{ID: 100}, &ReadStream{ID: 104}
	var w waiter
	if ok, err := r.park(s, unhex(t, "0200 80"), &w); !ok || err != nil {
		t.Fatal(ok, err)
	}
	r.table.Abandon(s)
	r.table.Abandon(s)
	if w != 1 {
		t.Errorf("waiter called %d times", w)
	}
	r.wantOwed("7f25")
	// Whoever has the section still must not have it acknowledged.
	r.insert("3fe11f 4161 0131")
	if _, err := r.table.AppendFields(&r.decoder, s, nil, unhex(t, "0200 80"), manyBytes); err != ErrAbandoned {
		t.Errorf("%v, want %v", err, ErrAbandoned)
	}
	if _, err := r.table.Park(s, unhex(t, "0300 80"), &w); err != ErrAbandoned {
		t.Errorf("%v, want %v", err, ErrAbandoned)
	}
	r.wantOwed("01")

	p := newReader(t, 4096, 1)
	if ok, err := p.park(s2, unhex(t, "0200 80"), &w); !ok || err != nil {
		t.Fatal(ok, err)
	}
	p.table.Unpark(s2)
	p.table.Unpark(s2)
	p.insert("3fe11f 4161 0131")
	if w != 1 || p.table.parkedBytes != 0 {
		t.Errorf("waiter called %d times, %d bytes parked", w, p.table.parkedBytes)
	}

	none := newReader(t, 0, 0)
	none.table.Abandon(&ReadStream{ID: 4})
	none.wantOwed("")
}

func TestParkErrors(t *testing.T) {
	r := newReader(t, 4096, 1)
	for section, want := range map[string]*Error{"": errTruncated, "ff ff7f 00": errInsertCount, "0281": errBase} {
		if _, err := r.table.Park(&ReadStream{}, unhex(t, section), new(waiter)); err != error(want) {
			t.Errorf("%q: %v, want %v", section, err, want)
		}
	}
}
