package qpack

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// manyBytes is larger than any section of these tests.
const manyBytes = 1 << 20

// unhex reads hexadecimal digits in groups.
func unhex(t *testing.T, s string) []byte {
	t.Helper()
	raw, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func decode(t *testing.T, section string, maxSize int) ([]Field, error) {
	t.Helper()
	var d Decoder
	return d.AppendFields(nil, unhex(t, section), maxSize)
}

func TestDecodeRepresentations(t *testing.T) {
	for _, tt := range []struct {
		name, section string
		want          []Field
	}{
		{"RFC 9204 B.1", "0000 510b 2f69 6e64 6578 2e68 746d 6c", []Field{{":path", "/index.html"}}},
		{"empty section", "0000", nil},
		{"base without references", "007f 9a0a", nil},
		{"static, one byte", "0000 d1 d9", []Field{{":method", "GET"}, {":status", "200"}}},
		{"static, two bytes", "0000 ff00 ff23", []Field{{":status", "100"}, {"x-frame-options", "sameorigin"}}},
		{"name reference, never indexed", "0000 7f45 03 616263", []Field{{"authorization", "abc"}}},
		{"name reference, empty value", "0000 50 00", []Field{{":authority", ""}}},
		{"literal name", "0000 22 7a7a 01 79", []Field{{"zz", "y"}}},
		{"literal name, never indexed", "0000 32 7a7a 01 79", []Field{{"zz", "y"}}},
		{"Huffman name and value", "0000 2f01 25a849e95ba97d7f 89 25a849e95bb8e8b4bf", []Field{{"custom-key", "custom-value"}}},
	} {
		got, err := decode(t, tt.section, manyBytes)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, section string
		want          error
	}{
		{"nothing", "", errTruncated},
		{"half a prefix", "00", errTruncated},
		{"required insert count", "0100", errInsertCount},
		{"negative base", "0080", errBase},
		{"static index 99", "0000 ff24", errStaticIndex},
		{"static name index 99", "0000 5f54 00", errStaticIndex},
		{"index cut", "0000 ff", errTruncated},
		{"index of 63 bits", "0000 ffffffffffffffffff7f", errInteger},
		{"index with endless padding", "0000 ff8080808080808080808000", errInteger},
		{"dynamic index", "0000 80", errReference},
		{"dynamic name", "0000 40 00", errReference},
		{"post-base index", "0000 10", errReference},
		{"post-base name", "0000 00 00", errReference},
		{"no value", "0000 51", errTruncated},
		{"value cut", "0000 51 02 61", errTruncated},
		{"length beyond the section", "0000 51 7fffffffffffffff3f 61", errTruncated},
		{"name cut", "0000 23 61", errTruncated},
		{"bad Huffman", "0000 51 84 ffffffff", errHuffman},
	} {
		got, err := decode(t, tt.section, manyBytes)
		if !errors.Is(err, tt.want) || len(got) != 0 {
			t.Errorf("%s: %q, %v, want %v", tt.name, got, err, tt.want)
		}
		var e *Error
		if !errors.As(err, &e) || e.Code != DecompressionFailed {
			t.Errorf("%s: %v is not a QPACK_DECOMPRESSION_FAILED", tt.name, err)
		}
	}
}

// TestSectionSize is the row "H3 field-section bomb" of the known attacks: what
// counts is the decoded size, 32 bytes for each field included.
func TestSectionSize(t *testing.T) {
	section := AppendFieldSection(nil, []Field{{"aa", "bbb"}, {":status", "200"}, {"server", "x"}})
	const want = (2 + 3 + 32) + (7 + 3 + 32) + (6 + 1 + 32)
	var d Decoder
	fields, err := d.AppendFields(nil, section, want)
	if err != nil || len(fields) != 3 {
		t.Fatalf("at the limit: %q, %v", fields, err)
	}
	for limit := range want {
		fields, err := d.AppendFields(nil, section, limit)
		if !errors.Is(err, ErrSectionTooLarge) {
			t.Fatalf("limit %d: %v, want %v", limit, err, ErrSectionTooLarge)
		}
		size := 0
		for _, f := range fields {
			size += f.Size()
		}
		if size > limit {
			t.Fatalf("limit %d: returned fields of %d bytes", limit, size)
		}
	}

	bomb := AppendPrefix(nil)
	for range 1 << 16 {
		bomb = append(bomb, 0xd1) // :method GET, 42 bytes each
	}
	fields, err = d.AppendFields(nil, bomb, 16<<10)
	if !errors.Is(err, ErrSectionTooLarge) || len(fields) != (16<<10)/42 {
		t.Errorf("bomb of static fields: %d fields, %v", len(fields), err)
	}
	coded := AppendField(AppendPrefix(nil), "x", strings.Repeat("0", 1<<20))
	if fields, err = d.AppendFields(nil, coded, 16<<10); !errors.Is(err, ErrSectionTooLarge) || len(fields) != 0 {
		t.Errorf("bomb of one field: %d fields, %v", len(fields), err)
	}
	if cap(d.scratch) > 64<<10 {
		t.Errorf("bomb of one field took %d bytes of scratch", cap(d.scratch))
	}
}

func TestEncodeRepresentations(t *testing.T) {
	for _, tt := range []struct {
		name, value, want string
	}{
		{":method", "GET", "d1"},
		{":status", "500", "ff08"},
		{":path", "/index.html", "51 88 60d5485f2bce9a68"},
		{":authority", "", "c0"},
		{":authority", "~", "50 01 7e"},
		{"x-frame-options", "~~", "5f52 02 7e7e"}, // Huffman would be longer
		{"zz", "~", "22 7a7a 01 7e"},
		{"custom-key", "custom-value", "2f01 25a849e95ba97d7f 89 25a849e95bb8e8b4bf"},
	} {
		want := strings.ReplaceAll(tt.want, " ", "")
		if got := hex.EncodeToString(AppendField(nil, tt.name, tt.value)); got != want {
			t.Errorf("AppendField(%q, %q) = %s, want %s", tt.name, tt.value, got, want)
		}
	}
}

func TestRoundTripOfStaticTable(t *testing.T) {
	section := AppendFieldSection(nil, staticTable[:])
	var d Decoder
	got, err := d.AppendFields(nil, section, manyBytes)
	if err != nil || !slices.Equal(got, staticTable[:]) {
		t.Errorf("%q, %v", got, err)
	}
	if want := 2 + 63 + 2*(len(staticTable)-63); len(section) != want {
		t.Errorf("section of %d bytes, want %d: only indexes", len(section), want)
	}
}

func TestIntegers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := uint(3); n <= 8; n++ {
		for _, v := range []uint64{0, 1, 1<<n - 2, 1<<n - 1, 1 << n, 1<<n + 126, 1<<n + 127, 1<<n + 128, maxInteger, rng.Uint64() >> 2} {
			b := appendInteger(nil, 0, n, v)
			got, rest, err := consumeInteger(append(b, 0x55), n)
			if err != nil || got != v || len(rest) != 1 {
				t.Fatalf("prefix %d: %d became %x, read as %d, rest %x, %v", n, v, b, got, rest, err)
			}
			for i := range b {
				if _, _, err := consumeInteger(b[:i], n); err != errTruncated {
					t.Fatalf("prefix %d: %x: %v, want %v", n, b[:i], err, errTruncated)
				}
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\x00\x00\x51\x0b/index.html"), 1000)
	f.Add(AppendFieldSection(nil, []Field{{":status", "200"}, {"custom-key", "custom-value"}}), 100)
	f.Add([]byte("\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), 50)
	var d Decoder
	f.Fuzz(func(t *testing.T, section []byte, maxSize int) {
		fields, err := d.AppendFields(nil, section, maxSize)
		size := 0
		for _, f := range fields {
			size += f.Size()
		}
		if len(fields) > 0 && size > maxSize {
			t.Fatalf("%d bytes of fields, allowed %d", size, maxSize)
		}
		if err != nil {
			return
		}
		again, err := d.AppendFields(nil, AppendFieldSection(nil, fields), size)
		if err != nil || !reflect.DeepEqual(again, fields) {
			t.Fatalf("%q became %q, %v", fields, again, err)
		}
	})
}

func TestDecodingAllocatesNothingTwice(t *testing.T) {
	section := AppendFieldSection(nil, requestFields)
	var d Decoder
	fields := make([]Field, 0, 16)
	if allocs := testing.AllocsPerRun(100, func() {
		fields, _ = d.AppendFields(fields[:0], section, manyBytes)
	}); allocs != 0 {
		t.Errorf("%v allocations for a section seen before", allocs)
	}
	if !slices.Equal(fields, requestFields) {
		t.Errorf("decoded %q", fields)
	}
	buf := make([]byte, 0, 1024)
	if allocs := testing.AllocsPerRun(100, func() {
		buf = AppendFieldSection(buf[:0], requestFields)
	}); allocs != 0 {
		t.Errorf("%v allocations for encoding", allocs)
	}
}

var requestFields = []Field{
	{":method", "GET"}, {":scheme", "https"}, {":authority", "localhost:4433"}, {":path", "/hello"},
	{"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"},
	{"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
	{"accept-encoding", "gzip, deflate, br"}, {"priority", "u=0, i"},
}

func BenchmarkDecode(b *testing.B) {
	section := AppendFieldSection(nil, requestFields)
	var d Decoder
	fields := make([]Field, 0, 16)
	b.ReportAllocs()
	for b.Loop() {
		fields, _ = d.AppendFields(fields[:0], section, manyBytes)
	}
}

func BenchmarkEncode(b *testing.B) {
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendFieldSection(buf[:0], requestFields)
	}
}

func Example() {
	section := AppendPrefix(nil)
	section = AppendField(section, ":status", "200")
	section = AppendField(section, "server", "godwit")
	fmt.Printf("%x\n", section)

	var dec Decoder
	fields, err := dec.AppendFields(nil, section, 16<<10)
	fmt.Println(fields, err)
	// Output:
	// 0000d95f4d8598f278327f
	// [{:status 200} {server godwit}] <nil>
}

// Two ends exchange field sections: the second time, almost nothing is left of
// them.
func ExampleEncoderTable() {
	var enc EncoderTable
	enc.Enable(4096, 16) // the other end's SETTINGS
	dec := NewDecoderTable(4096, 16)
	var d Decoder

	fields := []Field{{":status", "200"}, {"server", "godwit"}, {"x-powered-by", "wings"}}
	for _, stream := range []uint64{0, 4} {
		section, due := enc.AppendSection(nil, stream, fields)
		if due {
			encoderStream := enc.AppendInstructions(nil)
			fmt.Printf("encoder stream: %d bytes\n", len(encoderStream))
			if err := dec.HandleEncoderStream(encoderStream); err != nil {
				fmt.Println(err)
			}
		}
		got, err := dec.AppendFields(&d, &ReadStream{ID: stream}, nil, section, 16<<10)
		fmt.Printf("section: %x %v %v\n", section, got, err)
		if err := enc.HandleDecoderStream(dec.AppendInstructions(nil)); err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// encoder stream: 26 bytes
	// section: 0300d98180 [{:status 200} {server godwit} {x-powered-by wings}] <nil>
	// section: 0300d98180 [{:status 200} {server godwit} {x-powered-by wings}] <nil>
}
