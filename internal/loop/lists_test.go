package loop

import "testing"

func TestDirtyList(t *testing.T) {
	var d dirtyList
	a, b, c := &Conn{}, &Conn{}, &Conn{}
	d.push(a)
	d.push(b)
	d.push(a) // is in already
	if got := d.pop(); got != a {
		t.Fatalf("first is %p, want a", got)
	}
	d.push(c)
	d.push(a) // again, at the end
	for i, want := range []*Conn{b, c, a} {
		if got := d.pop(); got != want || got.dirty {
			t.Errorf("%d: got %p (dirty %v), want %p", i, got, got.dirty, want)
		}
	}
	if d.head != nil || d.tail != nil {
		t.Error("the list is not empty after the last")
	}
}

func TestConnList(t *testing.T) {
	conns := []*Conn{{}, {}, {}, {}}
	var l connList
	for _, c := range conns {
		l.add(c)
	}
	for _, i := range []int{1, 3, 0, 2} { // in the middle, first, last, only one
		l.remove(conns[i])
		for c := l.head; c != nil; c = c.next {
			if c == conns[i] {
				t.Errorf("%d is in the list after it was removed", i)
			}
			if c.next != nil && c.next.prev != c {
				t.Errorf("after %d was removed, the links do not agree", i)
			}
		}
	}
	if l.head != nil {
		t.Error("the list is not empty after the last")
	}
}
