package wtclient

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// event is something to show: an object of JSON, or a line with a label.
type event interface {
	stamped() *stamp
	line() (label, text string)
}

// stamp is what all events have.
type stamp struct {
	Event string  `json:"event"`
	MS    float64 `json:"ms"` // since the session was opened
}

func (s *stamp) stamped() *stamp { return s }

// content is what was received. In JSON it is text if it is UTF-8, otherwise
// base64.
type content struct {
	Text   *string `json:"text,omitempty"`
	Base64 []byte  `json:"base64,omitempty"`
	Bytes  int     `json:"bytes"`
}

func newContent(p []byte) content {
	if text := string(p); utf8.ValidString(text) {
		return content{Text: &text, Bytes: len(p)}
	}
	return content{Base64: append([]byte(nil), p...), Bytes: len(p)}
}

// raw returns the bytes.
func (c *content) raw() []byte {
	if c.Text != nil {
		return []byte(*c.Text)
	}
	return c.Base64
}

func (c *content) String() string { return Printable(string(c.raw())) }

// Printable returns a text as it is, or quoted if a terminal could take some of it
// for a command.
func Printable(text string) string {
	for _, r := range text {
		if r == utf8.RuneError || !unicode.IsGraphic(r) && r != '\n' && r != '\t' {
			return strconv.QuoteToGraphic(text)
		}
	}
	return text
}

type (
	openEvent struct {
		stamp
		Remote      string `json:"remote"`
		Draft       int    `json:"draft"` // the first of the family: 2, 7, 13 or 15
		Subprotocol string `json:"subprotocol"`
		MaxDatagram int    `json:"max_datagram"` // bytes

		draftName string
	}
	datagramEvent struct {
		stamp
		content
	}
	dataEvent struct {
		stamp
		ID   uint64 `json:"id"`
		Kind string `json:"kind"` // uni or bidi, opened by the server; answer by a stream opened here
		content
	}
	endEvent struct {
		stamp
		ID        uint64  `json:"id"`
		Kind      string  `json:"kind"`
		Bytes     int     `json:"bytes"` // in all
		ResetCode *uint32 `json:"reset_code,omitempty"`
		Error     string  `json:"error,omitempty"`
	}
	replyEvent struct {
		stamp
		Number uint64  `json:"number"`
		Bytes  int     `json:"bytes"`
		RTT    float64 `json:"rtt_ms,omitempty"`
		Twice  bool    `json:"twice_or_late,omitempty"`
	}
	drainingEvent struct{ stamp }
	closedEvent   struct {
		stamp
		Code   uint32 `json:"code"`
		Reason string `json:"reason"`
		Error  string `json:"error,omitempty"` // why it ended without being closed
	}
)

func (e *openEvent) line() (string, string) {
	text := fmt.Sprintf("at %s, %s", e.Remote, e.draftName)
	if e.Subprotocol != "" {
		text += ", subprotocol " + Printable(e.Subprotocol)
	}
	return "open", text + fmt.Sprintf(", datagrams up to %d bytes", e.MaxDatagram)
}

func (e *datagramEvent) line() (string, string) { return "datagram", e.content.String() }

func (e *dataEvent) line() (string, string) {
	return streamLabel(e.Kind, e.ID), strings.TrimSuffix(e.content.String(), "\n")
}

func (e *endEvent) line() (string, string) {
	size := count(uint64(e.Bytes), "byte")
	text := "ends after " + size
	switch {
	case e.ResetCode != nil:
		text = fmt.Sprintf("reset with code %d after %s", *e.ResetCode, size)
	case e.Error != "":
		text = fmt.Sprintf("broken after %s: %s", size, Printable(e.Error))
	}
	return streamLabel(e.Kind, e.ID), text
}

func streamLabel(kind string, id uint64) string { return fmt.Sprintf("%s %d", kind, id) }

func (e *replyEvent) line() (string, string) {
	text := fmt.Sprintf("%d: %d bytes", e.Number, e.Bytes)
	if e.Twice {
		return "reply", text + ", again or very late"
	}
	return "reply", text + fmt.Sprintf(", %.3f ms", e.RTT)
}

func (e *drainingEvent) line() (string, string) {
	return "draining", "the server asks to end the session soon"
}

func (e *closedEvent) line() (string, string) {
	switch {
	case e.Error != "":
		return "closed", Printable(e.Error)
	case e.Reason != "":
		return "closed", fmt.Sprintf("by the server with code %d: %s", e.Code, Printable(e.Reason))
	}
	return "closed", fmt.Sprintf("by the server with code %d", e.Code)
}
