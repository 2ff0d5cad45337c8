package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

// maxReported is how much content --format json takes into an object, in bytes, as all of
// it is in memory.
const maxReported = 64 << 20

// keep reads a content for report.
func (t *transfer) keep(resp *http.Response) error {
	if err := t.f.dump(t.heads()); err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxReported+1))
	t.content = content
	t.downloaded.Add(int64(len(content)))
	if err == nil && len(content) > maxReported {
		t.content = nil
		return &exitError{curlWrite, fmt.Errorf("the content has more than %d MiB: -o FILE writes it to a file", maxReported>>20)}
	}
	return err
}

// report is what --format json prints for a URL.
type report struct {
	URL       string              `json:"url"`
	Effective string              `json:"effective_url,omitempty"`
	Status    int                 `json:"status,omitempty"`
	Version   string              `json:"version,omitempty"`
	Header    map[string][]string `json:"header,omitempty"`
	Interim   []interimResponse   `json:"interim,omitempty"`
	Trailer   map[string][]string `json:"trailer,omitempty"`
	Content   *string             `json:"content,omitempty"`
	Base64    string              `json:"content_base64,omitempty"`
	File      string              `json:"file,omitempty"`
	Bytes     int64               `json:"bytes"`
	Sent      int64               `json:"bytes_sent"`
	Remote    string              `json:"remote,omitempty"`
	Local     string              `json:"local,omitempty"`
	Seconds   map[string]float64  `json:"seconds"`
	Error     string              `json:"error,omitempty"`
	ExitCode  int                 `json:"exit_code"`
}

// report prints the object of a URL.
func (t *transfer) report() {
	t.mu.Lock()
	r := report{
		URL: t.plan.url.String(), Interim: t.interim, Remote: t.peer, Local: t.local,
		Bytes: t.downloaded.Load(), Sent: t.uploaded.Load(), Seconds: make(map[string]float64),
	}
	if t.current != nil && t.current.URL.String() != r.URL {
		r.Effective = t.current.URL.String()
	}
	if resp := t.resp; resp != nil {
		r.Status, r.Version = resp.StatusCode, t.version()
		r.Header, r.Trailer = lowered(resp.Header), lowered(resp.Trailer)
	}
	for name, at := range map[string]time.Time{
		"lookup": t.times.lookup, "connect": t.times.connect, "handshake": t.times.secured, "sent": t.times.sent,
		"first_byte": t.times.firstByte, "total": t.times.end,
	} {
		if !at.IsZero() {
			r.Seconds[name] = at.Sub(t.times.start).Seconds()
		}
	}
	t.mu.Unlock()
	switch {
	case t.plan.output != stdoutName:
		r.File = t.plan.output
	case utf8.Valid(t.content):
		text := string(t.content)
		r.Content = &text
	default:
		r.Base64 = base64.StdEncoding.EncodeToString(t.content)
	}
	if t.err != nil {
		r.Error, r.ExitCode = said(t.err), exitCode(t.err)
	}
	encoder := json.NewEncoder(terminal.JSON(t.f.app.stdout))
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(r); err != nil && t.err == nil {
		t.err = err
	}
}
