package wtclient

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Printer shows what happens in one session.
type Printer struct {
	mu    sync.Mutex
	write func(event) error
	start time.Time // of the session
	err   error     // of the first write that failed
}

// NewJSONPrinter returns a Printer that writes one JSON object to a line for every
// event. Each has "event" and "ms", milliseconds since the session was opened:
//
//	open      remote, draft, subprotocol, max_datagram
//	datagram  text or base64, bytes
//	data      id, kind, text or base64, bytes: a piece of a stream
//	end       id, kind, bytes, reset_code or error: of a stream
//	reply     number, bytes, rtt_ms: a datagram of Ping's
//	draining  the server asks to end the session soon
//	closed    code, reason, or error: not by this end
//	summary   sent, received, ping: always the last
func NewJSONPrinter(out io.Writer) *Printer {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	return &Printer{write: func(e event) error { return enc.Encode(e) }}
}

// labelWidth is how wide labels of lines are at least.
const labelWidth = 9

// NewTextPrinter returns a Printer for people; or, if quiet, one that writes only
// what the server sends, as it is, with a line break after datagrams, and of a Ping
// only the summary.
func NewTextPrinter(out io.Writer, quiet bool) *Printer {
	if quiet {
		return &Printer{write: func(e event) error { return writeQuiet(out, e) }}
	}
	return &Printer{write: func(e event) error {
		label, text := e.line()
		label = fmt.Sprintf("%-*s ", labelWidth, label)
		text = strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", len(label)))
		_, err := fmt.Fprintf(out, "%s%s\n", label, text)
		return err
	}}
}

func writeQuiet(out io.Writer, e event) error {
	var err error
	switch e := e.(type) {
	case *datagramEvent:
		_, err = out.Write(append(e.raw(), '\n'))
	case *dataEvent:
		_, err = out.Write(e.raw())
	case *summaryEvent:
		if e.Ping != nil {
			_, text := e.line()
			_, err = fmt.Fprintln(out, text)
		}
	}
	return err
}

// print shows an event.
func (p *Printer) print(e event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.stamped().MS = milliseconds(time.Since(p.start))
	if err := p.write(e); p.err == nil {
		p.err = err
	}
}
