package qpack

import (
	"encoding/hex"
	"slices"
	"testing"
)

// TestAppendixB is the dialogue of RFC 9204, Appendix B: what its encoder sends
// is decoded, and what its decoder sends comes out.
func TestAppendixB(t *testing.T) {
	d := newReader(t, 220, 1)
	authority := Field{":authority", "www.example.com"}
	path := Field{":path", "/sample/path"}
	custom := Field{"custom-key", "custom-value"}

	// B.1, literal field line with name reference
	d.wantFields(0, "0000 510b 2f69 6e64 6578 2e68 746d 6c", Field{":path", "/index.html"})
	d.wantOwed("")

	// B.2, dynamic table
	d.insert("3fbd01 c00f 7777 772e 6578 616d 706c 652e 636f 6d c10c 2f73 616d 706c 652f 7061 7468")
	d.wantFields(4, "0381 10 11", authority, path)
	d.wantOwed("84")
	wantTable(t, "B.2", &d.table.table, 0, authority, path)

	// B.3, speculative insert
	d.insert("4a63 7573 746f 6d2d 6b65 790c 6375 7374 6f6d 2d76 616c 7565")
	d.wantOwed("01")
	wantTable(t, "B.3", &d.table.table, 0, authority, path, custom)

	// B.4, Duplicate instruction, stream cancellation
	s := &ReadStream{ID: 8}
	section := unhex(t, "0500 80 c1 81")
	if _, err := d.table.AppendFields(&d.decoder, s, nil, section, manyBytes); err != ErrBlocked {
		t.Fatalf("B.4: %v, want %v", err, ErrBlocked)
	}
	w := new(waiter)
	if parked, err := d.table.Park(s, section, w); !parked || err != nil {
		t.Fatalf("B.4: parked %v, %v", parked, err)
	}
	d.table.Abandon(s)
	d.wantOwed("48")
	d.insert("02")
	wantTable(t, "B.4", &d.table.table, 0, authority, path, custom, authority)
	// Without the cancellation:
	d.wantFields(12, "0500 80 c1 81", authority, Field{":path", "/"}, custom)
	d.wantOwed("8c")

	// B.5, dynamic table insert, eviction
	d.insert("810d 6375 7374 6f6d 2d76 616c 7565 32")
	wantTable(t, "B.5", &d.table.table, 1, path, custom, authority, Field{"custom-key", "custom-value2"})
	d.wantOwed("01")
}

// reader is a DecoderTable spoken to in hexadecimal digits.
type reader struct {
	t       *testing.T
	table   *DecoderTable
	decoder Decoder
}

func newReader(t *testing.T, maxCapacity uint64, maxBlocked int) *reader {
	return &reader{t: t, table: NewDecoderTable(maxCapacity, maxBlocked)}
}

// insert feeds the encoder stream.
func (r *reader) insert(instructions string) {
	r.t.Helper()
	if err := r.table.HandleEncoderStream(unhex(r.t, instructions)); err != nil {
		r.t.Fatalf("instructions %s: %v", instructions, err)
	}
}

// decode decodes a section of a stream.
func (r *reader) decode(stream uint64, section string) ([]Field, error) {
	r.t.Helper()
	return r.table.AppendFields(&r.decoder, &ReadStream{ID: stream}, nil, unhex(r.t, section), manyBytes)
}

func (r *reader) wantFields(stream uint64, section string, want ...Field) {
	r.t.Helper()
	if got, err := r.decode(stream, section); err != nil || !slices.Equal(got, want) {
		r.t.Fatalf("section %s: %q, %v, want %q", section, got, err, want)
	}
}

// wantOwed checks what is to be sent on the decoder stream.
func (r *reader) wantOwed(want string) {
	r.t.Helper()
	if owes, _ := r.table.Owed(); owes != (want != "") {
		r.t.Errorf("owes something: %v", owes)
	}
	if got := hex.EncodeToString(r.table.AppendInstructions(nil)); got != want {
		r.t.Errorf("decoder stream %s, want %s", got, want)
	}
}

// waiter counts how often it was called.
type waiter int

func (w *waiter) HandleUnblocked() { *w++ }
