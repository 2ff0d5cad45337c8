package qpack

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// twoEntries inserts a=1 and b=2 into a table of 128 bytes.
const twoEntries = "3f61 4161 0131 4162 0132"

func TestEncoderInstructions(t *testing.T) {
	for _, tt := range []struct {
		name, bytes string
		dropped     uint64
		want        []Field
	}{
		{"nothing", "", 0, nil},
		{"capacity 0", "20 20", 0, nil},
		{"literal names", twoEntries, 0, []Field{{"a", "1"}, {"b", "2"}}},
		{"Huffman", "3fe11f 68 25a849e95ba97d7f 89 25a849e95bb8e8b4bf", 0, []Field{{"custom-key", "custom-value"}}},
		{"static name", "3fe11f c5 01 78 ff23 01 79", 0, []Field{{"cookie", "x"}, {"x-frame-options", "y"}}},
		{"empty strings", "3fe11f 40 00", 0, []Field{{"", ""}}},
		{"dynamic name", twoEntries + "81 0133 81 0134", 1, []Field{{"b", "2"}, {"a", "3"}, {"b", "4"}}},
		{"duplicate", twoEntries + "01", 0, []Field{{"a", "1"}, {"b", "2"}, {"a", "1"}}},
		{"duplicate of what it evicts", twoEntries + "01 02", 1, []Field{{"b", "2"}, {"a", "1"}, {"a", "1"}}},
		{"name of what it evicts", twoEntries + "01 82 0139", 1, []Field{{"b", "2"}, {"a", "1"}, {"a", "9"}}},
		{"smaller capacity", twoEntries + "3f04", 1, []Field{{"b", "2"}}},
		{"capacity 0 and again", twoEntries + "20 3fe11f 4163 0133", 2, []Field{{"c", "3"}}},
		{"an entry as large as the table", "3f03 41 61 01 31", 0, []Field{{"a", "1"}}},
	} {
		raw := unhex(t, tt.bytes)
		for _, size := range []int{1, 2, 3, len(raw) + 1} {
			table := NewDecoderTable(4096, 0)
			for rest := range slices.Chunk(raw, size) {
				if err := table.HandleEncoderStream(rest); err != nil {
					t.Fatalf("%s, in pieces of %d: %v", tt.name, size, err)
				}
			}
			wantTable(t, fmt.Sprint(tt.name, ", in pieces of ", size), tableOf(table), tt.dropped, tt.want...)
			if table.partial != nil {
				t.Errorf("%s: keeps %x", tt.name, table.partial)
			}
		}
	}
}

// tableOf returns the dynamic table of t.
func tableOf(t *DecoderTable) *dynamicTable {
	t.lock()
	defer t.mu.Unlock()
	return &t.table
}

func TestEncoderStreamErrors(t *testing.T) {
	for _, tt := range []struct {
		name, bytes string
		want        *Error
	}{
		{"capacity 4097", "3fe21f", errCapacity},
		{"capacity of 62 bits", "3fffffffffffffffff1f", errCapacity},
		{"capacity of 63 bits", "3fffffffffffffffffff7f", errInsertInteger},
		{"insert into nothing", "40 00", errEntryTooLarge},
		{"too large by one", "3f03 41 61 02", errEntryTooLarge},
		{"name too large", "3f61 5f42", errEntryTooLarge},
		{"value too large, name in the static table", "3f61 c1 5c", errEntryTooLarge},
		{"name in the static table too large", "3f01 ff14 00", errEntryTooLarge},
		{"Huffman name too large", "3f01 7f 63", errEntryTooLarge},
		{"Huffman value too large once decoded", "3f02 41 61 82 18c7", errEntryTooLarge},
		{"Huffman name too large once decoded", "3f02 62 18c7 00", errEntryTooLarge},
		{"length of 63 bits", "3f61 41 61 ffffffffffffffffffff7f", errInsertInteger},
		{"bad Huffman value", "3f61 41 61 81 00", errInsertHuffman},
		{"bad Huffman name", "3f61 61 00 00", errInsertHuffman},
		{"static index 99", "3f61 ff24", errInsertStatic},
		{"static index of 63 bits", "3f61 ffffffffffffffffffff7f", errInsertInteger},
		{"name of an empty table", "3f61 80", errInsertReference},
		{"name of an evicted entry", twoEntries + "01 01 83", errInsertReference},
		{"name of an entry to come", twoEntries + "82", errInsertReference},
		{"duplicate in an empty table", "3f61 00", errInsertReference},
		{"duplicate of an evicted entry", twoEntries + "01 01 03", errInsertReference},
		{"duplicate with 63 bits", twoEntries + "1fffffffffffffffffff7f", errInsertInteger},
	} {
		raw := unhex(t, tt.bytes)
		for _, size := range []int{1, len(raw)} {
			table := NewDecoderTable(4096, 0)
			var err error
			for rest := range slices.Chunk(raw, size) {
				if err = table.HandleEncoderStream(rest); err != nil {
					break
				}
			}
			if err != error(tt.want) || tt.want.Code != EncoderStreamError {
				t.Errorf("%s, in pieces of %d: %v, want %v", tt.name, size, err, tt.want)
			}
		}
	}
}

// TestInstructionsAreStoredAsTheyArrive is the row "Length-driven allocation" of
// the known attacks for the encoder stream.
func TestInstructionsAreStoredAsTheyArrive(t *testing.T) {
	table := NewDecoderTable(4096, 0)
	if err := table.HandleEncoderStream(unhex(t, "3fe11f 5fb01e 6161")); err != nil { // a name of 3919 bytes
		t.Fatal(err)
	}
	if cap(table.partial) > 100 {
		t.Errorf("%d bytes allocated for five", cap(table.partial))
	}
	// The largest instruction there can be is kept, and nothing beyond it.
	table = NewDecoderTable(4096, 0)
	coded := appendInteger(unhex(t, "3fe11f"), insertLiteralName|insertNameCoded, 5, 4*4064)
	coded = append(coded, make([]byte, 5*4096)...)
	most := 0
	err := error(nil)
	for b := range slices.Chunk(coded, 64) {
		if err = table.HandleEncoderStream(b); err != nil {
			break
		}
		most = max(most, len(table.partial))
	}
	if err != error(errInsertHuffman) {
		t.Errorf("error %v, want %v", err, errInsertHuffman)
	}
	if most > 4*4096 {
		t.Errorf("kept %d bytes of an instruction", most)
	}
}

func TestDynamicReferences(t *testing.T) {
	r := newReader(t, 128, 0) // up to four entries
	r.insert(twoEntries + "4163 0133 01")
	b, c := Field{"b", "2"}, Field{"c", "3"}
	wantTable(t, "inserted", &r.table.table, 1, b, c, b)
	for _, tt := range []struct {
		name, section string
		want          []Field
		err           error
	}{
		{"relative", "0500 80 81 82", []Field{b, c, b}, nil},
		{"relative, base beyond", "0502 82 83", []Field{b, c}, nil},
		{"post-base", "0582 10 11 12", []Field{b, c, b}, nil},
		{"both", "0580 80 10", []Field{c, b}, nil},
		{"required less than inserted", "0300 80", []Field{b}, nil},
		{"names", "0580 40 0139 60 0138 00 0137 08 0136", []Field{{"c", "9"}, {"c", "8"}, {"b", "7"}, {"b", "6"}}, nil},
		{"with static ones", "0500 d1 80", []Field{{":method", "GET"}, b}, nil},
		{"more required than needed", "0500 d1", []Field{{":method", "GET"}}, nil},
		{"evicted", "0500 83", nil, errReference},
		{"evicted name", "0500 43 00", nil, errReference},
		{"evicted, post-base", "0583 10", nil, errReference},
		{"below the table", "0500 84", nil, errReference},
		{"far below the table", "0500 bfffffffffffffffff1f", nil, errReference},
		{"not required", "0400 80 10", []Field{c}, errReference},
		{"name not required", "0400 00 00", nil, errReference},
		{"not required, far beyond", "0500 1fffffffffffffffff1f", nil, errReference},
		{"nothing required", "0001 80", nil, errReference},
		{"impossible required", "0900 80", nil, errInsertCount},
		{"not inserted yet", "0600 80", nil, ErrBlocked},
		{"negative base", "0584 10", nil, errBase},
		{"index cut", "0500 bf", nil, errTruncated},
		{"post-base index cut", "0500 1f", nil, errTruncated},
		{"no value", "0500 40", nil, errTruncated},
		{"no value after a post-base name", "0582 00", nil, errTruncated},
		{"index of 63 bits", "0500 bfffffffffffffffffff7f", nil, errInteger},
	} {
		r.table.AppendInstructions(nil)
		got, err := r.decode(4, tt.section)
		if !slices.Equal(got, tt.want) || err != error2(tt.err) {
			t.Errorf("%s: %q, %v, want %q, %v", tt.name, got, err, tt.want, tt.err)
		}
		var e *Error
		if errors.As(tt.err, &e) && e.Code != DecompressionFailed {
			t.Errorf("%s: code %v", tt.name, e.Code)
		}
		want := ""
		if err == nil {
			want = "84"
		}
		r.wantOwed(want)
	}
}

// TestDynamicSectionSize is the row "H3 field-section bomb" of the known attacks:
// one large entry, referred to again and again.
func TestDynamicSectionSize(t *testing.T) {
	r := newReader(t, 4096, 0)
	entry := Field{"bomb", strings.Repeat("~", 4000)}
	b := appendInteger(nil, setCapacity, 5, 4096)
	b = appendString(b, insertLiteralName, insertNameCoded, 5, entry.Name)
	b = appendString(b, 0, literalValueCoded, 7, entry.Value)
	if err := r.table.HandleEncoderStream(b); err != nil {
		t.Fatal(err)
	}
	section := append([]byte{0x02, 0x00}, []byte(strings.Repeat("\x80", 1<<16))...)
	fields, err := r.table.AppendFields(&r.decoder, &ReadStream{ID: 4}, nil, section, 16<<10)
	if err != ErrSectionTooLarge || len(fields) != 4 {
		t.Errorf("%d fields, %v, want 4, %v", len(fields), err, ErrSectionTooLarge)
	}
	section = append([]byte{0x02, 0x00}, []byte(strings.Repeat("\x40\x00", 1<<15))...)
	fields, err = r.table.AppendFields(&r.decoder, &ReadStream{ID: 4}, nil, section, 16<<10)
	if err != ErrSectionTooLarge || len(fields) != (16<<10)/36 {
		t.Errorf("%d names, %v, want %d, %v", len(fields), err, (16<<10)/36, ErrSectionTooLarge)
	}
	r.wantOwed("01") // neither was decoded
}

// TestOwed checks what makes instructions urgent.
func TestOwed(t *testing.T) {
	r := newReader(t, 4096, 0)
	wantOwed := func(what string, wantAny, wantUrgent bool) {
		t.Helper()
		if any, urgent := r.table.Owed(); any != wantAny || urgent != wantUrgent {
			t.Errorf("%s: any %v, urgent %v, want %v, %v", what, any, urgent, wantAny, wantUrgent)
		}
	}
	r.insert("3fe11f")
	wantOwed("nothing inserted", false, false)
	r.insert("4161 0131 4162 0132")
	wantOwed("two inserted", true, true)
	r.wantFields(4, "0200 80", Field{"a", "1"})
	wantOwed("one of them acknowledged", true, true)
	r.wantOwed("8401")
	wantOwed("all told", false, false)
	for i := range uint64(flushOwed) {
		r.wantFields(i, "0300 80", Field{"b", "2"})
		wantOwed(fmt.Sprint("acknowledgment ", i), true, i == flushOwed-1)
	}
}
