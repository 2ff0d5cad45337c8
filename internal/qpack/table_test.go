package qpack

import (
	"fmt"
	"testing"
)

// wantTable checks the entries of a table, oldest first.
func wantTable(t *testing.T, what string, table *dynamicTable, dropped uint64, want ...Field) {
	t.Helper()
	size := uint64(0)
	for i, f := range want {
		if index := dropped + uint64(i); !table.has(index) || *table.at(index) != f {
			t.Errorf("%s: entry %d is not %q", what, index, f)
		}
		size += uint64(f.Size())
	}
	if table.dropped != dropped || table.inserted != dropped+uint64(len(want)) || table.size != size {
		t.Errorf("%s: entries %d to %d of %d bytes, want %d from %d of %d bytes",
			what, table.dropped, table.inserted, table.size, len(want), dropped, size)
	}
	if table.has(dropped-1) || table.has(table.inserted) {
		t.Errorf("%s: has entries beyond its ends", what)
	}
}

func TestDynamicTable(t *testing.T) {
	field := func(i int) Field { return Field{"n", fmt.Sprintf("%02d", i)} } // 35 bytes
	var table dynamicTable
	wantTable(t, "empty", &table, 0)
	table.setCapacity(350)
	var all []Field
	for i := range 25 {
		table.evict(uint64(field(i).Size()))
		table.insert(field(i))
		all = append(all, field(i))
		dropped := max(0, i+1-10)
		wantTable(t, fmt.Sprint("after entry ", i), &table, uint64(dropped), all[dropped:]...)
	}
	if len(table.ring) != 16 {
		t.Errorf("a ring of %d for ten entries", len(table.ring))
	}
	for i := uint64(0); i < 16; i++ {
		if f := table.ring[i]; f != (Field{}) && !table.has(16+i) && !table.has(i) {
			t.Errorf("slot %d still holds %q", i, f)
		}
	}
	table.setCapacity(100)
	wantTable(t, "shrunk", &table, 23, all[23:]...)
	table.setCapacity(0)
	wantTable(t, "emptied", &table, 25)
	if table.ring != nil {
		t.Error("an empty table keeps its memory")
	}
	table.setCapacity(35)
	table.insert(field(25))
	wantTable(t, "in use again", &table, 25, field(25))
}

func TestPrefix(t *testing.T) {
	const inserted, maxEntries = 10, 3 // a table of 100 bytes, RFC 9204, Section 4.5.1.1
	for _, tt := range []struct {
		prefix         string
		required, base uint64
		want           error
	}{
		{"00 00", 0, 0, nil},
		{"00 05", 0, 5, nil},
		{"04 00", 9, 9, nil},
		{"04 82", 9, 6, nil}, // Section 4.5.1.2
		{"04 03", 9, 12, nil},
		{"04 88", 9, 0, nil},
		{"03 00", 8, 8, nil},   // the oldest there can be
		{"02 00", 13, 13, nil}, // the newest
		{"07 00", 0, 0, errInsertCount},
		{"ff 00 00", 0, 0, errInsertCount},
		{"04 89", 0, 0, errBase},
		{"00 80", 0, 0, errBase},
		{"", 0, 0, errTruncated},
		{"04", 0, 0, errTruncated},
		{"ff 80", 0, 0, errTruncated},
		{"04 ff", 0, 0, errTruncated},
		{"ff ffffffffffffffffff01 00", 0, 0, errInteger},
	} {
		p, rest, err := consumePrefix(append(unhex(t, tt.prefix), 0xd1))
		var required, base uint64
		if err == nil {
			if len(rest) != 1 {
				err = errTruncated // what was meant to follow was taken for the prefix
			} else {
				required, base, err = p.resolve(inserted, maxEntries)
			}
		}
		if required != tt.required || base != tt.base || err != error2(tt.want) {
			t.Errorf("%s: %d, %d, %v, want %d, %d, %v", tt.prefix, required, base, err, tt.required, tt.base, tt.want)
		}
	}
}

// error2 keeps nil errors nil.
func error2(err error) error { return err }

// TestPrefixRoundTrip encodes all prefixes that can be.
func TestPrefixRoundTrip(t *testing.T) {
	for maxEntries := uint64(1); maxEntries < 9; maxEntries++ {
		for inserted := range uint64(40) {
			lowest := inserted - min(inserted, maxEntries) + 1
			for required := lowest; required <= inserted+maxEntries; required++ {
				for base := range inserted + 3 {
					p, rest, err := consumePrefix(appendPrefix(nil, required, base, maxEntries))
					if err != nil || len(rest) != 0 {
						t.Fatal(required, base, err)
					}
					gotRequired, gotBase, err := p.resolve(inserted, maxEntries)
					if gotRequired != required || gotBase != base || err != nil {
						t.Fatalf("of %d entries, %d inserted: %d, %d became %d, %d, %v",
							maxEntries, inserted, required, base, gotRequired, gotBase, err)
					}
				}
			}
		}
	}
}
