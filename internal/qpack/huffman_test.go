package qpack

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

func TestHuffmanVectors(t *testing.T) {
	// RFC 7541, Appendix C.4 and C.6.
	for _, tt := range []struct{ text, coded string }{
		{"www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"},
		{"no-cache", "a8eb10649cbf"},
		{"custom-key", "25a849e95ba97d7f"},
		{"custom-value", "25a849e95bb8e8b4bf"},
		{"302", "6402"},
		{"Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"},
		{"https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"},
		{"foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
			"94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007"},
	} {
		if got := hex.EncodeToString(appendHuffman(nil, tt.text)); got != tt.coded {
			t.Errorf("appendHuffman(%q) = %s, want %s", tt.text, got, tt.coded)
		}
		if got := huffmanSize(tt.text); got != len(tt.coded)/2 {
			t.Errorf("huffmanSize(%q) = %d, want %d", tt.text, got, len(tt.coded)/2)
		}
		raw, _ := hex.DecodeString(tt.coded)
		if got, err := appendHuffmanDecoded(nil, raw); err != nil || string(got) != tt.text {
			t.Errorf("appendHuffmanDecoded(%s) = %q, %v, want %q", tt.coded, got, err, tt.text)
		}
	}
}

func TestHuffmanAllOctets(t *testing.T) {
	for c := range 256 {
		for _, s := range []string{string([]byte{byte(c)}), "a" + string([]byte{byte(c), byte(c)}) + "z"} {
			coded := appendHuffman(nil, s)
			if want := hpack.AppendHuffmanString(nil, s); !bytes.Equal(coded, want) {
				t.Fatalf("appendHuffman(%q) = %x, want %x", s, coded, want)
			}
			if got, err := appendHuffmanDecoded(nil, coded); err != nil || string(got) != s {
				t.Fatalf("appendHuffmanDecoded(%x) = %q, %v, want %q", coded, got, err, s)
			}
		}
	}
}

func TestHuffmanInvalid(t *testing.T) {
	for name, coded := range map[string]string{
		"EOS":                    "3fffffff",
		"EOS after text":         "1fffffffff",
		"eight bits of padding":  "1fff", // "a", then 11 ones
		"padding of zeros":       "18",   // "a", then 000
		"only padding":           "ff",
		"code cut in its middle": "ffff",
	} {
		raw, _ := hex.DecodeString(coded)
		if got, err := appendHuffmanDecoded(nil, raw); !errors.Is(err, errHuffman) {
			t.Errorf("%s: %q, %v, want %v", name, got, err, errHuffman)
		}
	}
}

func FuzzHuffmanDecode(f *testing.F) {
	f.Add([]byte("\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"))
	f.Add([]byte("\x3f\xff\xff\xff"))
	f.Add(appendHuffman(nil, "\x00\x01\r\n\xf9\xff"))
	f.Fuzz(func(t *testing.T, coded []byte) {
		got, err := appendHuffmanDecoded(nil, coded)
		want, wantErr := hpack.HuffmanDecodeToString(coded)
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("error %v, want %v", err, wantErr)
		}
		if err != nil {
			return
		}
		if string(got) != want {
			t.Fatalf("decoded %q, want %q", got, want)
		}
		if again := appendHuffman(nil, want); !bytes.Equal(again, coded) {
			t.Fatalf("coded again %x, want %x", again, coded)
		}
	})
}

func BenchmarkHuffmanDecode(b *testing.B) {
	coded := appendHuffman(nil, strings.Repeat("Mozilla/5.0 (X11; Linux x86_64) ", 4))
	buf := make([]byte, 0, 256)
	b.SetBytes(int64(len(coded)))
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendHuffmanDecoded(buf[:0], coded)
	}
}

func BenchmarkHuffmanDecodeHpack(b *testing.B) {
	coded := appendHuffman(nil, strings.Repeat("Mozilla/5.0 (X11; Linux x86_64) ", 4))
	var buf bytes.Buffer
	b.SetBytes(int64(len(coded)))
	b.ReportAllocs()
	for b.Loop() {
		buf.Reset()
		_, _ = hpack.HuffmanDecode(&buf, coded)
	}
}
