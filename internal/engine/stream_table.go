package engine

import (
	"iter"
	"maps"

	"github.com/godwit-quic/godwit/internal/wire"
)

// fewStreams is up to how many streams are found without a map. Most connections
// have no more at a time, and an empty map takes as much memory as half a stream.
const fewStreams = 8

// streamTable finds the streams of a connection that are not finished.
type streamTable struct {
	// last is the stream looked up last; without a map also the first of a list
	// of all, linked by Stream.listed, which looking up keeps in that order.
	last  *Stream
	many  map[wire.StreamID]*Stream // nil until there are more than fewStreams
	count int
}

// get returns the stream with an ID, or nil.
func (t *streamTable) get(id wire.StreamID) *Stream {
	if t.last != nil && t.last.ID == id {
		return t.last
	}
	if t.many != nil {
		s := t.many[id]
		if s != nil {
			t.last = s
		}
		return s
	}
	if t.last == nil {
		return nil
	}
	for before := t.last; before.listed != nil; before = before.listed {
		if s := before.listed; s.ID == id {
			before.listed, s.listed, t.last = s.listed, t.last, s
			return s
		}
	}
	return nil
}

// add puts a stream into the table that is not there.
func (t *streamTable) add(s *Stream) {
	t.count++
	if t.many == nil && t.count > fewStreams {
		t.many = make(map[wire.StreamID]*Stream, 2*fewStreams)
		for other := t.last; other != nil; {
			t.many[other.ID] = other
			other, other.listed = other.listed, nil
		}
	}
	if t.many != nil {
		t.many[s.ID] = s
		return
	}
	s.listed, t.last = t.last, s
}

// remove takes out a stream that is in the table.
func (t *streamTable) remove(s *Stream) {
	t.count--
	if t.many != nil {
		delete(t.many, s.ID)
		if t.last == s {
			t.last = nil
		}
		return
	}
	t.get(s.ID) // makes it the first
	t.last, s.listed = s.listed, nil
}

// trim gives a map back that is not needed any more.
func (t *streamTable) trim() {
	if t.many == nil || t.count > fewStreams {
		return
	}
	t.last = nil
	for _, s := range t.many {
		s.listed, t.last = t.last, s
	}
	t.many = nil
}

// all are the streams in the table, which must not change meanwhile.
func (t *streamTable) all() iter.Seq[*Stream] {
	if t.many != nil {
		return maps.Values(t.many)
	}
	return func(yield func(*Stream) bool) {
		for s := t.last; s != nil && yield(s); {
			s = s.listed
		}
	}
}
