package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

// writeOut writes what -w asks for (man curl, --write-out).
func (t *transfer) writeOut() {
	format := t.f.opts.writeOut
	if path, ok := strings.CutPrefix(format, "@"); ok {
		data, err := t.f.readFormat(path)
		if err != nil {
			t.f.app.complain("-w: %v", err)
			return
		}
		format = string(data)
	}
	out := t.f.app.stdout
	for format != "" {
		i := strings.IndexAny(format, `%\`)
		if i < 0 || i+1 == len(format) {
			_, _ = io.WriteString(out, format) // as the content before, or there is nobody to tell
			return
		}
		_, _ = io.WriteString(out, format[:i])
		format = format[i:]
		n := 2
		switch {
		case format[0] == '\\':
			_, _ = io.WriteString(out, escapes(format[:2]))
		case format[1] == '%':
			_, _ = io.WriteString(out, "%")
		default:
			var text string
			if text, n = t.variable(format, &out); n > 0 {
				_, _ = io.WriteString(out, text)
			}
			if n < 0 { // %{onerror}
				return
			}
			if n == 0 {
				_, _ = io.WriteString(out, "%")
				n = 1
			}
		}
		format = format[n:]
	}
}

// readFormat reads the file with a format.
func (f *fetcher) readFormat(path string) ([]byte, error) {
	if path == stdoutName {
		return io.ReadAll(f.app.stdin)
	}
	return os.ReadFile(path)
}

// escapes is what a backslash and a character stand for.
func escapes(text string) string {
	switch text[1] {
	case 'n':
		return "\n"
	case 'r':
		return "\r"
	case 't':
		return "\t"
	}
	return text
}

// variable returns what stands at the beginning of a format, and how long that is there: 0
// if it is nothing, -1 if all that follows is left out.
func (t *transfer) variable(format string, out *io.Writer) (text string, n int) {
	if field, ok := strings.CutPrefix(format, "%header{"); ok {
		name, _, ok := strings.Cut(field, "}")
		if !ok {
			return "", 0
		}
		if t.resp != nil {
			text = terminal.Line(t.resp.Header.Get(name))
		}
		return text, len("%header{}") + len(name)
	}
	name, ok := strings.CutPrefix(format, "%{")
	if !ok {
		return "", 0
	}
	if name, _, ok = strings.Cut(name, "}"); !ok {
		return "", 0
	}
	n = len("%{}") + len(name)
	switch name {
	case "stdout":
		*out = t.f.app.stdout
		return "", n
	case "stderr":
		*out = t.f.app.stderr
		return "", n
	case "onerror":
		if t.err == nil {
			return "", -1
		}
		return "", n
	case "json":
		data, _ := json.Marshal(t.variables()) // of strings and numbers
		return string(data), n
	case "header_json":
		header := make(map[string][]string)
		if t.resp != nil {
			header = lowered(t.resp.Header)
		}
		data, _ := json.Marshal(header)
		return string(data), n
	}
	value, ok := t.variables()[name]
	if !ok {
		return "", n // as curl, which complains as well
	}
	if f, ok := value.(seconds64); ok {
		return strconv.FormatFloat(float64(f), 'f', 6, 64), n
	}
	return fmt.Sprint(value), n
}

// seconds64 is a time in seconds, shown with six digits.
type seconds64 float64

// lowered returns a header with names in lower case.
func lowered(header http.Header) map[string][]string {
	m := make(map[string][]string, len(header))
	for name, values := range header {
		m[strings.ToLower(name)] = values
	}
	return m
}

// variables are the values that -w knows.
func (t *transfer) variables() map[string]any {
	t.mu.Lock()
	defer t.mu.Unlock()
	since := func(at time.Time) seconds64 {
		if at.IsZero() {
			return 0
		}
		return seconds64(at.Sub(t.times.start).Seconds())
	}
	total := since(t.times.end)
	speed := func(n int64) int64 {
		if total <= 0 {
			return 0
		}
		return int64(float64(n) / float64(total))
	}
	peer, peerPort := hostPort(t.peer)
	local, localPort := hostPort(t.local)
	status, kind, headers, proto := 0, "", 0, "0"
	if t.resp != nil {
		status, kind, headers, proto = t.resp.StatusCode, t.resp.Header.Get("Content-Type"), len(t.resp.Header), t.version()
	}
	size, came := 0, t.downloaded.Load()
	if t.f.opts.compressed {
		came = t.encoded.Load()
	}
	for _, text := range t.shown {
		size += len(text)
	}
	effective, file, message := t.plan.url.String(), "", ""
	if t.current != nil {
		effective = t.current.URL.String()
	}
	if isFile(t.plan.output) {
		file = t.plan.output
	}
	code := exitOK
	if t.err != nil {
		message, code = said(t.err), exitCode(t.err)
	}
	v := map[string]any{
		"http_code": fmt.Sprintf("%03d", status), "response_code": fmt.Sprintf("%03d", status), "http_version": proto, "content_type": kind, "num_headers": headers,
		"size_download": came, "size_upload": t.uploaded.Load(), "size_header": size,
		"speed_download": speed(came), "speed_upload": speed(t.uploaded.Load()),
		"time_namelookup": since(t.times.lookup), "time_connect": since(t.times.connect), "time_appconnect": since(t.times.secured),
		"time_pretransfer": since(t.times.sent), "time_starttransfer": since(t.times.firstByte), "time_redirect": since(t.times.redirect), "time_total": total,
		"num_redirects": t.redirects, "redirect_url": t.redirectedTo, "num_connects": t.connections,
		"remote_ip": peer, "remote_port": peerPort, "local_ip": local, "local_port": localPort,
		"url": t.plan.url.String(), "url_effective": effective, "scheme": strings.ToUpper(t.plan.url.Scheme), "method": t.plan.method,
		"filename_effective": file, "errormsg": message, "exitcode": code, "ssl_verify_result": 0,
	}
	for name, value := range v {
		if text, ok := value.(string); ok {
			v[name] = terminal.Line(text)
		}
	}
	return v
}
