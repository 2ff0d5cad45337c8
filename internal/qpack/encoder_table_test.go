package qpack

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// pair is an encoder and the decoder it speaks to.
type pair struct {
	t       testing.TB
	enc     *EncoderTable
	dec     *DecoderTable
	decoder Decoder
}

func newPair(t testing.TB, capacity uint64, blocked int) *pair {
	p := &pair{t: t, enc: new(EncoderTable), dec: NewDecoderTable(capacity, blocked)}
	p.enc.Enable(capacity, uint64(blocked))
	return p
}

// encode encodes a section and returns it with the instructions that came with
// it.
func (p *pair) encode(stream uint64, fields ...Field) (section, instructions []byte) {
	p.t.Helper()
	section, due := p.enc.AppendSection(nil, stream, fields)
	instructions = p.enc.AppendInstructions(nil)
	if due != (len(instructions) > 0) {
		p.t.Errorf("instructions due: %v, but there are %x", due, instructions)
	}
	return section, instructions
}

// wantDecoded has a section decoded that came with instructions.
func (p *pair) wantDecoded(stream uint64, section, instructions []byte, want ...Field) {
	p.t.Helper()
	if err := p.dec.HandleEncoderStream(instructions); err != nil {
		p.t.Fatalf("instructions %x: %v", instructions, err)
	}
	got, err := p.dec.AppendFields(&p.decoder, &ReadStream{ID: stream}, nil, section, manyBytes)
	if err != nil || !slices.Equal(got, want) {
		p.t.Fatalf("section %x: %q, %v, want %q", section, got, err, want)
	}
}

// exchange has a section encoded and decoded, but not acknowledged.
func (p *pair) exchange(stream uint64, fields ...Field) (section, instructions []byte) {
	p.t.Helper()
	section, instructions = p.encode(stream, fields...)
	p.wantDecoded(stream, section, instructions, fields...)
	return section, instructions
}

// acknowledge passes on what the decoder has to say.
func (p *pair) acknowledge() {
	p.t.Helper()
	if err := p.enc.HandleDecoderStream(p.dec.AppendInstructions(nil)); err != nil {
		p.t.Fatal(err)
	}
}

func wantHex(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if want = strings.ReplaceAll(want, " ", ""); hex.EncodeToString(got) != want {
		t.Errorf("%s: %x, want %s", what, got, want)
	}
}

func TestEncoderDialogue(t *testing.T) {
	p := newPair(t, 220, 10)
	get, zz := Field{":method", "GET"}, Field{"zz", "~"}
	section, instructions := p.exchange(0, get, zz)
	wantHex(t, "first insertion", instructions, "3fbd01 42 7a7a 01 7e")
	wantHex(t, "first section", section, "0200 d1 80")

	section, instructions = p.exchange(4, get, zz)
	wantHex(t, "nothing new", instructions, "")
	wantHex(t, "second section", section, "0200 d1 80")

	server := Field{"server", "~~"}
	section, instructions = p.exchange(8, zz, server, Field{"zz", "{}"})
	wantHex(t, "static and dynamic name", instructions, "ff1d 02 7e7e 81 02 7b7d")
	wantHex(t, "section with three", section, "0400 82 81 80")

	section, instructions = p.exchange(12, server)
	wantHex(t, "an older one", instructions, "")
	wantHex(t, "section with an older one", section, "0301 81")
	p.acknowledge()
	if len(p.enc.sent) != 0 || p.enc.atRisk != 0 || p.enc.known != 3 {
		t.Errorf("%d sections left, %d at risk, known %d", len(p.enc.sent), p.enc.atRisk, p.enc.known)
	}
}

func TestEncoderWithoutDynamicTable(t *testing.T) {
	want := AppendFieldSection(nil, requestFields)
	var never, tiny EncoderTable
	tiny.Enable(31, 100)
	for what, e := range map[string]*EncoderTable{"not enabled": &never, "no room for an entry": &tiny} {
		for range 3 {
			got, due := e.AppendSection(nil, 0, requestFields)
			if due || string(got) != string(want) {
				t.Errorf("%s: %x, instructions %v, want %x", what, got, due, want)
			}
		}
	}
	if never.advisor != nil || never.index.ring != nil {
		t.Error("memory was taken for nothing")
	}
}

// TestSensitiveFields checks that secrets are neither inserted nor unmarked.
func TestSensitiveFields(t *testing.T) {
	for _, tt := range []struct {
		field     Field
		sensitive bool
		first     byte
	}{
		{Field{"authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, true, nameRefStatic | neverIndexed},
		{Field{"proxy-authorization", "Basic QWxhZGRpbg"}, true, literalName | neverIndexedName},
		{Field{"cookie", "a=b"}, true, nameRefStatic | neverIndexed},
		{Field{"set-cookie", "a=b"}, true, nameRefStatic | neverIndexed},
		{Field{"cookie", "session=0123456789abcdef0123456789abcdef"}, false, nameRefStatic},
		{Field{"user-agent", "x"}, false, nameRefStatic},
		{Field{"x-y", "z"}, false, literalName},
	} {
		const flags = nameRefStatic | neverIndexed | literalName | neverIndexedName
		if b := AppendField(nil, tt.field.Name, tt.field.Value); b[0]&flags&^0x0f != tt.first {
			t.Errorf("%s: first byte %08b, want %08b", tt.field.Name, b[0], tt.first)
		}
		p := newPair(t, 4096, 10)
		for i := range uint64(3) {
			p.exchange(i, tt.field)
		}
		if inserted := p.enc.table.inserted > 0; inserted == tt.sensitive {
			t.Errorf("%s: inserted %v", tt.field.Name, inserted)
		}
		b, _ := p.encode(9, tt.field)
		if isMarked := len(b) > 3 && b[2]&flags&^0x0f == tt.first; tt.sensitive && !isMarked {
			t.Errorf("%s: section %x, want first byte %08b", tt.field.Name, b, tt.first)
		}
	}
}

// TestBlockedStreams checks that no more streams can block than the peer allows.
func TestBlockedStreams(t *testing.T) {
	field := func(i uint64) Field { return Field{"f", fmt.Sprint("value ", i)} }
	refers := func(section []byte) bool { return section[0] != 0 }
	for _, limit := range []int{0, 1, 3, 200} {
		p := newPair(t, 4096, limit)
		var insertions [][]byte
		for i := range uint64(5) {
			section, instructions := p.encode(i, field(0))
			insertions = append(insertions, instructions)
			if want := int(i) < limit; refers(section) != want {
				t.Errorf("limit %d: section %d refers to the table: %v", limit, i, !want)
			}
		}
		// Once the entry is known to be there, all may refer to it.
		for _, b := range insertions {
			if err := p.dec.HandleEncoderStream(b); err != nil {
				t.Fatal(err)
			}
		}
		p.acknowledge()
		for i := uint64(10); i < 15; i++ {
			if section, _ := p.encode(i, field(0)); !refers(section) {
				t.Errorf("limit %d: section %d does not refer to the table", limit, i)
			}
		}
		if p.enc.atRisk != 0 {
			t.Errorf("limit %d: %d streams at risk", limit, p.enc.atRisk)
		}
	}
}

// TestEvictionIsProtected checks that what a section refers to stays, and what
// the peer may not have received.
func TestEvictionIsProtected(t *testing.T) {
	a, b, c := Field{"a", "1"}, Field{"b", "2"}, Field{"c", "3"}
	p := newPair(t, 2*34, 10)
	p.exchange(0, a)
	p.exchange(4, b)
	if _, instructions := p.exchange(8, c); len(instructions) > 0 {
		t.Errorf("%x evicts what was not acknowledged", instructions)
	}
	if err := p.dec.HandleEncoderStream(nil); err != nil {
		t.Fatal(err)
	}
	// An Insert Count Increment without the Section Acknowledgments.
	if err := p.enc.HandleDecoderStream([]byte{0x02}); err != nil {
		t.Fatal(err)
	}
	if _, instructions := p.exchange(12, c); len(instructions) > 0 {
		t.Errorf("%x evicts what is referred to", instructions)
	}
	if err := p.enc.HandleDecoderStream([]byte{0x80}); err != nil {
		t.Fatal(err)
	}
	if _, instructions := p.exchange(16, c); len(instructions) == 0 {
		t.Error("nothing was evicted for a field that occurs repeatedly")
	}
	wantTable(t, "in the end", &p.enc.table, 1, b, c)
}

// TestUnacknowledgedSections is the row "QPACK encoder state" of the known
// attacks: a peer that never acknowledges anything.
func TestUnacknowledgedSections(t *testing.T) {
	p := newPair(t, 4096, 1000)
	f := Field{"server", "godwit"}
	for i := range uint64(3 * maxUnacknowledged) {
		section, _ := p.encode(i, f)
		if refers := section[0] != 0; refers != (i < maxUnacknowledged) {
			t.Fatalf("section %d refers to the table: %v", i, refers)
		}
	}
	if len(p.enc.sent) != maxUnacknowledged || cap(p.enc.sent) > 2*maxUnacknowledged {
		t.Errorf("%d sections remembered, room for %d", len(p.enc.sent), cap(p.enc.sent))
	}
	for i := range uint64(maxUnacknowledged) {
		if err := p.enc.HandleDecoderStream(appendInteger(nil, streamCancellation, 6, i)); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.enc.sent) != 0 || p.enc.atRisk != 0 || p.enc.index.at(0).pins != 0 {
		t.Errorf("%d sections, %d at risk, %d pins after all were cancelled", len(p.enc.sent), p.enc.atRisk, p.enc.index.at(0).pins)
	}
}

func TestDecoderInstructions(t *testing.T) {
	for _, tt := range []struct {
		name, bytes string
		want        error
		known       uint64
		left        int
	}{
		{"nothing", "", nil, 0, 4},
		{"acknowledgment", "84", nil, 1, 3},
		{"of the later one", "88", nil, 2, 3},
		{"both of a stream", "84 84", nil, 3, 2},
		{"of a large stream ID", "ff8107", nil, 2, 3},
		{"one too many", "84 84 84", errAckOfNothing, 3, 2},
		{"of an unknown stream", "8c", errAckOfNothing, 0, 4},
		{"cancellation", "44", nil, 0, 2},
		{"cancellation of an unknown stream", "4c", nil, 0, 4},
		{"cancellation of a large stream ID", "7fc107", nil, 0, 3},
		{"acknowledgment after the cancellation", "44 84", errAckOfNothing, 0, 2},
		{"cancellation after the acknowledgment", "88 48", nil, 2, 3},
		{"increment", "03", nil, 3, 4},
		{"increments", "01 02", nil, 3, 4},
		{"increment after an acknowledgment", "88 01", nil, 3, 3},
		{"increment of 0", "00", errIncrement, 0, 4},
		{"increment beyond", "04", errIncrement, 0, 4},
		{"increment beyond, after an acknowledgment", "88 02", errIncrement, 2, 3},
		{"increment far beyond", "3fffffffffffffffff1f", errIncrement, 0, 4},
		{"integer without end", "7f ffffffffffffffffffff", errStreamInteger, 0, 4},
		{"acknowledgment of 63 bits", "ff ffffffffffffffff7f", errStreamInteger, 0, 4},
	} {
		raw := unhex(t, tt.bytes)
		for _, size := range []int{1, 2, len(raw) + 1} {
			// Streams 4 (two sections), 8 and 1024 wait for acknowledgments.
			p := newPair(t, 4096, 100)
			a, b, c := Field{"a", "1"}, Field{"b", "2"}, Field{"c", "3"}
			p.encode(4, a)
			p.encode(8, a, b)
			p.encode(1024, b)
			p.encode(4, c)
			var err error
			for piece := range slices.Chunk(raw, size) {
				if err = p.enc.HandleDecoderStream(piece); err != nil {
					break
				}
			}
			if err != tt.want || p.enc.known != tt.known || len(p.enc.sent) != tt.left {
				t.Errorf("%s, in pieces of %d: %v, known %d, %d sections left, want %v, %d, %d",
					tt.name, size, err, p.enc.known, len(p.enc.sent), tt.want, tt.known, tt.left)
			}
			if e, ok := err.(*Error); ok && e.Code != DecoderStreamError {
				t.Errorf("%s: code %v", tt.name, e.Code)
			}
			p.wantConsistent(tt.name)
		}
	}
}

// wantConsistent checks the encoder's counts against what they count.
func (p *pair) wantConsistent(what string) {
	p.t.Helper()
	t := p.enc
	atRisk, pins := 0, make(map[uint64]uint16)
	for _, s := range t.sent {
		pins[s.oldest]++
		if s.required > t.known {
			atRisk++
		}
		if s.oldest < t.table.dropped || s.required > t.table.inserted {
			p.t.Fatalf("%s: a section refers to %d to %d, the table has %d to %d", what, s.oldest, s.required, t.table.dropped, t.table.inserted)
		}
	}
	size := uint64(0)
	for i := t.table.dropped; i < t.table.inserted; i++ {
		size += uint64(t.table.at(i).Size())
		if t.index.at(i).pins != pins[i] {
			p.t.Fatalf("%s: entry %d has %d pins, want %d", what, i, t.index.at(i).pins, pins[i])
		}
	}
	if t.atRisk != atRisk || size != t.table.size || size > t.table.capacity || t.known > t.table.inserted {
		p.t.Fatalf("%s: %d at risk, want %d; size %d, want %d of %d; known %d of %d",
			what, t.atRisk, atRisk, t.table.size, size, t.table.capacity, t.known, t.table.inserted)
	}
}

// TestInsertionsRetainNothing checks that an entry is no part of a larger
// string.
func TestInsertionsRetainNothing(t *testing.T) {
	p := newPair(t, 4096, 10)
	large := "x-name: and its value, in a very large string"
	name, value := large[:6], large[8:21]
	p.exchange(0, Field{name, value}, Field{"server", value})
	for i := range uint64(2) {
		f := p.enc.table.at(i)
		if unsafe.StringData(f.Value) == unsafe.StringData(value) || unsafe.StringData(f.Name) == unsafe.StringData(name) {
			t.Errorf("entry %d is a part of the application's string", i)
		}
	}
}

func TestDynamicTableAllocatesNothing(t *testing.T) {
	p := newPair(t, 4096, 10)
	for i := range uint64(3) {
		p.exchange(i, requestFields...)
		p.acknowledge()
	}
	s := &ReadStream{ID: 100}
	fields := make([]Field, 0, 16)
	section, owed := make([]byte, 0, 1024), make([]byte, 0, 64)
	if allocs := testing.AllocsPerRun(100, func() {
		section, _ = p.enc.AppendSection(section[:0], s.ID, requestFields)
		fields, _ = p.dec.AppendFields(&p.decoder, s, fields[:0], section, manyBytes)
		owed = p.dec.AppendInstructions(owed[:0])
		if err := p.enc.HandleDecoderStream(owed); err != nil {
			t.Fatal(err)
		}
	}); allocs != 0 {
		t.Errorf("%v allocations for a section whose fields are in the table", allocs)
	}
	if !slices.Equal(fields, requestFields) || len(section) > 20 || string(owed) != "\xe4" {
		t.Errorf("%q, %d bytes, %x", fields, len(section), owed)
	}
}

func BenchmarkEncodeDynamic(b *testing.B) {
	p := newPair(b, 4096, 10)
	p.exchange(0, requestFields...)
	p.acknowledge()
	buf := make([]byte, 0, 1024)
	ack := []byte{0x84}
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = p.enc.AppendSection(buf[:0], 4, requestFields)
		if err := p.enc.HandleDecoderStream(ack); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodeDynamic(b *testing.B) {
	p := newPair(b, 4096, 10)
	p.exchange(0, requestFields...)
	section, _ := p.encode(4, requestFields...)
	fields, owed := make([]Field, 0, 16), make([]byte, 0, 64)
	s := &ReadStream{ID: 4}
	b.ReportAllocs()
	for b.Loop() {
		fields, _ = p.dec.AppendFields(&p.decoder, s, fields[:0], section, manyBytes)
		owed = p.dec.AppendInstructions(owed[:0])
	}
}
