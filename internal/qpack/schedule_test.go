package qpack

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// schedule is an encoder and a decoder with a network in between that delivers
// each stream in order and nothing else: what happens when is decided by a
// source of random bytes.
type schedule struct {
	*pair
	next        func() byte
	toDecoder   []byte // bytes of the encoder stream under way
	toEncoder   []byte // bytes of the decoder stream under way
	streams     []*scheduledStream
	nextStream  uint64
	maxStreams  int
	didDecode   int
	didAbandon  int
	wasBlocked  int
	nextFieldID int
}

// scheduledStream is a stream of sections. Its first one is at the decoder once
// it was delivered, where it may be parked.
type scheduledStream struct {
	s        *schedule
	read     ReadStream
	sections [][]byte
	lists    [][]Field
	parked   bool
}

// HandleUnblocked is called when the stream's first section need not wait.
func (st *scheduledStream) HandleUnblocked() {
	if !st.parked {
		st.s.t.Fatal("a stream was unblocked that was not blocked")
	}
	st.parked = false
	st.decode()
}

// decode has the decoder read the stream's first section.
func (st *scheduledStream) decode() {
	s := st.s
	for {
		fields, err := s.dec.AppendFields(&s.decoder, &st.read, nil, st.sections[0], manyBytes)
		if err == ErrAbandoned {
			return
		}
		if err == nil {
			if !slices.Equal(fields, st.lists[0]) {
				s.t.Fatalf("stream %d: %q, want %q", st.read.ID, fields, st.lists[0])
			}
			st.sections, st.lists = st.sections[1:], st.lists[1:]
			s.didDecode++
			return
		}
		if err != ErrBlocked {
			s.t.Fatalf("stream %d: section %x: %v", st.read.ID, st.sections[0], err)
		}
		s.wasBlocked++
		if st.parked, err = s.dec.Park(&st.read, st.sections[0], st); err != nil {
			s.t.Fatalf("stream %d cannot be parked: %v", st.read.ID, err)
		}
		if st.parked {
			return
		}
	}
}

func newSchedule(t testing.TB, next func() byte) *schedule {
	capacity := []uint64{0, 31, 32, 70, 150, 256, 600, 4096, 5000, 1 << 20}[next()%10]
	blocked := []int{0, 1, 2, 5, 16, 100}[next()%6]
	s := &schedule{pair: newPair(t, capacity, blocked), next: next}
	s.maxStreams = 1 + int(next())
	return s
}

// fields makes up a list of fields, some of which repeat.
func (s *schedule) fields() []Field {
	list := make([]Field, s.next()%6)
	for i := range list {
		switch c := s.next(); {
		case c < 40:
			list[i] = requestFields[int(c)%len(requestFields)]
		case c < 120:
			list[i] = Field{fmt.Sprint("name-", c%8), fmt.Sprint("value ", s.next()%8)}
		case c < 160:
			list[i] = Field{"cookie", fmt.Sprintf("%0*d", s.next(), c%4)}
		case c < 220:
			s.nextFieldID++
			list[i] = Field{fmt.Sprint("name-", c%3), fmt.Sprint(s.nextFieldID)}
		default:
			list[i] = staticTable[int(c)%len(staticTable)]
		}
	}
	return list
}

// step does one thing that can happen.
func (s *schedule) step() {
	switch c := s.next(); {
	case c < 90:
		s.send(int(c))
	case c < 130:
		s.deliverInstructions(1 + int(s.next()))
	case c < 190:
		s.deliverSection()
	case c < 240:
		s.deliverAcks(1 + int(s.next())%16)
	default:
		s.abandon()
	}
	s.wantConsistent("step")
}

// send encodes a section on a new stream, or another one on an old stream.
func (s *schedule) send(c int) {
	if len(s.streams) == s.maxStreams {
		return
	}
	var st *scheduledStream
	if c < 15 && len(s.streams) > 0 {
		st = s.streams[c%len(s.streams)]
	} else {
		st = &scheduledStream{s: s, read: ReadStream{ID: s.nextStream}}
		s.nextStream += 4
		s.streams = append(s.streams, st)
	}
	list := s.fields()
	section, instructions := s.encode(st.read.ID, list...)
	st.sections, st.lists = append(st.sections, section), append(st.lists, list)
	s.toDecoder = append(s.toDecoder, instructions...)
}

func (s *schedule) deliverInstructions(n int) {
	n = min(n, len(s.toDecoder))
	if err := s.dec.HandleEncoderStream(s.toDecoder[:n]); err != nil {
		s.t.Fatalf("instructions %x: %v", s.toDecoder[:n], err)
	}
	s.toDecoder = s.toDecoder[n:]
	s.tidy()
}

func (s *schedule) deliverAcks(n int) {
	if s.next()%2 == 0 {
		s.toEncoder = s.dec.AppendInstructions(s.toEncoder)
	}
	n = min(n, len(s.toEncoder))
	if err := s.enc.HandleDecoderStream(s.toEncoder[:n]); err != nil {
		s.t.Fatalf("decoder instructions %x: %v", s.toEncoder[:n], err)
	}
	s.toEncoder = s.toEncoder[n:]
}

// pick returns one of the streams.
func (s *schedule) pick() *scheduledStream {
	if len(s.streams) == 0 {
		return nil
	}
	return s.streams[int(s.next())%len(s.streams)]
}

func (s *schedule) deliverSection() {
	if st := s.pick(); st != nil && !st.parked {
		st.decode()
		s.tidy()
	}
}

func (s *schedule) abandon() {
	if st := s.pick(); st != nil {
		st.parked = false
		s.didAbandon++
		st.sections, st.lists = nil, nil
		w := s.dec.abandon(&st.read)
		if w != nil && w != Waiter(st) {
			s.t.Fatal("somebody else's section was parked")
		}
		s.tidy()
	}
}

// tidy forgets streams that have nothing to deliver.
func (s *schedule) tidy() {
	s.streams = slices.DeleteFunc(s.streams, func(st *scheduledStream) bool { return len(st.sections) == 0 })
}

// finish delivers everything and checks that nothing is left.
func (s *schedule) finish() {
	s.deliverInstructions(len(s.toDecoder))
	for len(s.streams) > 0 {
		if s.streams[0].parked {
			s.t.Fatalf("stream %d is blocked in the end", s.streams[0].read.ID)
		}
		s.streams[0].decode()
		s.tidy()
	}
	s.toEncoder = s.dec.AppendInstructions(s.toEncoder)
	s.deliverAcks(len(s.toEncoder))
	s.wantConsistent("end")
	if len(s.enc.sent) != 0 || s.enc.known != s.enc.table.inserted || s.dec.parkedBytes != 0 {
		s.t.Fatalf("%d sections not acknowledged, known %d of %d, %d bytes parked",
			len(s.enc.sent), s.enc.known, s.enc.table.inserted, s.dec.parkedBytes)
	}
	for i := s.enc.table.dropped; i < s.enc.table.inserted; i++ {
		if !s.dec.table.has(i) || *s.dec.table.at(i) != *s.enc.table.at(i) {
			s.t.Fatalf("the tables differ in entry %d", i)
		}
	}
}

// TestSchedules runs many schedules and checks that they reached what they are
// about.
func TestSchedules(t *testing.T) {
	decoded, abandoned, blocked, evicted, drained := 0, 0, 0, uint64(0), 0
	for seed := range uint64(400) {
		rng := rand.New(rand.NewPCG(seed, 0))
		s := newSchedule(t, func() byte { return byte(rng.Uint32()) })
		for range 400 {
			s.step()
		}
		s.finish()
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		decoded += s.didDecode
		abandoned += s.didAbandon
		blocked += s.wasBlocked
		evicted += s.enc.table.dropped
		drained += int(min(s.enc.drain.index, 1))
	}
	t.Logf("%d sections decoded, %d streams abandoned, %d blocked, %d entries evicted, %d tables drained",
		decoded, abandoned, blocked, evicted, drained)
	if decoded < 1000 || abandoned < 1000 || blocked < 500 || evicted < 1000 || drained < 10 {
		t.Error("the schedules do not test much")
	}
}

func FuzzSchedule(f *testing.F) {
	f.Add([]byte("\x07\x05\xff0102030405060708090a0b0c0d0e0f"))
	for seed := range uint64(5) {
		rng := rand.New(rand.NewPCG(seed, 1))
		b := make([]byte, 2000)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSchedule(t, func() (c byte) {
			if len(b) > 0 {
				c, b = b[0], b[1:]
			}
			return c
		})
		for len(b) > 0 {
			s.step()
		}
		s.finish()
	})
}

// FuzzDecoderTable interleaves an encoder stream and sections of any content.
func FuzzDecoderTable(f *testing.F) {
	f.Add([]byte("\x3f\xe1\x1f\x41a\x011\x41b\x012"), []byte("\x03\x00\x80\x81"), uint8(3))
	f.Add([]byte("\x3f\x61\x41a\x011\x01\x01\x81\x019"), []byte("\x05\x82\x10\x00\x01x"), uint8(5))
	f.Add([]byte("\x20\x3f\x01\xc0\x0fwww.example.com"), []byte("\x02\x00\xd1\x50\x81\xff"), uint8(1))
	f.Fuzz(func(t *testing.T, instructions, section []byte, size uint8) {
		const capacity, limit = 1000, 2000
		table := NewDecoderTable(capacity, 1)
		var d Decoder
		s := &ReadStream{ID: 4}
		var w waiter
		var parked bool
		for {
			fields, err := table.AppendFields(&d, s, nil, section, limit)
			total := 0
			for _, f := range fields {
				total += f.Size()
			}
			if total > limit {
				t.Fatalf("%d bytes of fields, allowed %d", total, limit)
			}
			if err == ErrBlocked && !parked {
				if parked, err = table.Park(s, section, &w); err != nil {
					t.Fatal(err)
				}
			}
			if len(instructions) == 0 {
				break
			}
			n := min(len(instructions), 1+int(size))
			if table.HandleEncoderStream(instructions[:n]) != nil {
				return
			}
			instructions = instructions[n:]
			if w > 0 && !parked || w > 1 {
				t.Fatalf("called %d times, parked %v", w, parked)
			}
			parked = parked && w == 0
			w = 0
			if table.table.size > capacity || len(table.table.ring) > 64 || len(table.partial) > 4*capacity+256 {
				t.Fatalf("%d bytes in the table, %d in the ring, %d kept", table.table.size, len(table.table.ring), len(table.partial))
			}
		}
		if parked && table.parkedBytes != len(section) || !parked && table.parkedBytes != 0 {
			t.Fatalf("parked %v, %d bytes", parked, table.parkedBytes)
		}
	})
}

// FuzzEncoderInstructions compares an encoder stream in one piece with the same
// in pieces.
func FuzzEncoderInstructions(f *testing.F) {
	f.Add([]byte("\x3f\xe1\x1f\x41a\x011\x41b\x012\x01\x81\x019"), uint8(1))
	f.Add([]byte("\x3f\xe1\x1f\x68\x25\xa8\x49\xe9\x5b\xa9\x7d\x7f\x89\x25\xa8\x49\xe9\x5b\xb8\xe8\xb4\xbf"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		whole, pieces := NewDecoderTable(500, 0), NewDecoderTable(500, 0)
		want := whole.HandleEncoderStream(b)
		var got error
		for piece := range slices.Chunk(b, 1+int(size)) {
			if got = pieces.HandleEncoderStream(piece); got != nil {
				break
			}
		}
		w, p := &whole.table, &pieces.table
		if got != want || w.size != p.size || w.inserted != p.inserted || w.dropped != p.dropped || !slices.Equal(w.ring, p.ring) {
			t.Fatalf("in pieces %v, whole %v", got, want)
		}
	})
}

// FuzzDecoderInstructions does the same with a decoder stream.
func FuzzDecoderInstructions(f *testing.F) {
	f.Add([]byte("\x80\x01\x44\x84"), uint8(1))
	f.Add([]byte("\x7f\xe1\x0f\x02\x88"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		whole, pieces := newPair(t, 500, 10), newPair(t, 500, 10)
		for i := range uint64(5) {
			whole.encode(4*(i%4), requestFields[3+i])
			pieces.encode(4*(i%4), requestFields[3+i])
		}
		want := whole.enc.HandleDecoderStream(b)
		var got error
		for piece := range slices.Chunk(b, 1+int(size)) {
			if got = pieces.enc.HandleDecoderStream(piece); got != nil {
				break
			}
		}
		if got != want || whole.enc.known != pieces.enc.known || !slices.Equal(whole.enc.sent, pieces.enc.sent) {
			t.Fatalf("in pieces %v, whole %v", got, want)
		}
		whole.wantConsistent("whole")
	})
}
