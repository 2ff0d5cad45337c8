package wtclient

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/webtransport"
)

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                "",
		"grüezi, 世界\n\tx": "grüezi, 世界\n\tx",
		"\x1b[2Jcleared":  `"\x1b[2Jcleared"`,
		"bad \xff":        `"bad \xff"`,
		"over\rwritten":   `"over\rwritten"`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestWholeRunes(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "a": 1, "aé": 3, "a\xc3": 1, "世\xe4\xb8": 3, "\xf0\x9f\x90": 0, "\xf0\x9f\x90\xa6": 4,
		"\xff": 1, "\x80\x80\x80\x80": 4, // not UTF-8 at all
	} {
		if got := wholeRunes([]byte(text)); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

// events are one of each kind.
func events() []event {
	code := uint32(7)
	return []event{
		&openEvent{Remote: "192.0.2.1:443", Draft: 15, draftName: "draft 15", Subprotocol: "b", MaxDatagram: 1200},
		&datagramEvent{content: newContent([]byte("two\nlines"))},
		&dataEvent{ID: 3, Kind: "uni", content: newContent([]byte("text\n"))},
		&dataEvent{ID: 12345678, Kind: "answer", content: newContent([]byte{0xff})},
		&endEvent{ID: 3, Kind: "uni", Bytes: 1},
		newEnd(3, "uni", 5, &webtransport.StreamError{Code: code, IsApplication: true}),
		newEnd(3, "uni", 5, &webtransport.SessionError{}),
		newEnd(3, "uni", 5, errors.New("pulled out")),
		newEnd(3, "uni", 5, io.EOF),
		&replyEvent{Number: 1, Bytes: 32, RTT: 0.25},
		&replyEvent{Number: 1, Bytes: 32, Twice: true},
		&drainingEvent{},
		&closedEvent{Code: 9},
		&closedEvent{Code: 9, Reason: "so\x07 long"},
		&closedEvent{Error: "pulled out"},
		&summaryEvent{Sent: counts{1, 1, 1}, Dropped: 2},
	}
}

func TestTextPrinter(t *testing.T) {
	var out bytes.Buffer
	p := NewTextPrinter(&out, false)
	for _, e := range events() {
		p.print(e)
	}
	const want = `open      at 192.0.2.1:443, draft 15, subprotocol b, datagrams up to 1200 bytes
datagram  two
          lines
uni 3     text
answer 12345678 "\xff"
uni 3     ends after 1 byte
uni 3     reset with code 7 after 5 bytes
uni 3     broken after 5 bytes: the session has ended
uni 3     broken after 5 bytes: pulled out
uni 3     ends after 5 bytes
reply     1: 32 bytes, 0.250 ms
reply     1: 32 bytes, again or very late
draining  the server asks to end the session soon
closed    by the server with code 9
closed    by the server with code 9: "so\a long"
closed    pulled out
summary   sent 1 datagram and 1 stream with 1 byte, received 0 datagrams and 0 streams with 0 bytes
          2 datagrams arrived and could not be kept, as they came faster than they could be shown
`
	if got := out.String(); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

func TestQuietPrinter(t *testing.T) {
	var out bytes.Buffer
	p := NewTextPrinter(&out, true)
	for _, e := range events() {
		p.print(e)
	}
	p.print(&summaryEvent{Ping: &pingResult{Sent: 1, Size: 32}})
	if got, want := out.String(), "two\nlines\ntext\n\xff1 datagram of 32 bytes sent, 0 came back, 0.0 % lost\n"; got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

func TestJSONPrinter(t *testing.T) {
	var out bytes.Buffer
	p := NewJSONPrinter(&out)
	for _, e := range events() {
		p.print(e)
	}
	var names []string
	for line := range strings.Lines(out.String()) {
		var e struct {
			Event *string
			MS    *float64
			ID    uint64
			Text  *string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil || e.Event == nil || e.MS == nil {
			t.Errorf("%q: %v", line, err)
		}
		names = append(names, line)
	}
	for i, want := range []string{`"subprotocol":"b"`, `"text":"two\nlines"`, `"id":3,"kind":"uni","text":"text\n","bytes":5`, `"base64":"/w=="`} {
		if !strings.Contains(names[i], want) {
			t.Errorf("%s lacks %s", names[i], want)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPrinterError(t *testing.T) {
	p := NewTextPrinter(fullDisk{}, false)
	p.print(&drainingEvent{})
	if p.err == nil || p.err.Error() != "disk full" {
		t.Errorf("%v", p.err)
	}
}
