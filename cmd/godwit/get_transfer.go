package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

// transfer is one URL's: what is known of it, for -v, -w and --format json.
type transfer struct {
	f    *fetcher
	plan plan
	turn <-chan struct{} // closed when it may write to standard output
	done chan struct{}   // closed when the next one may
	err  error
	left int // further attempts

	uploaded, downloaded atomic.Int64 // bytes of content
	encoded              atomic.Int64 // of them as they came, with --compressed

	offset  int64          // of the file at which -C goes on
	resp    *http.Response // nil before
	content []byte         // for --format json

	mu           sync.Mutex // the rest, which hooks of package httptrace set
	current      *http.Request
	redirects    int
	interim      []interimResponse
	shown        []string // the header sections so far, as -i has them
	fields       []string // of the request that is being sent
	times        transferTimes
	tls          *tls.ConnectionState
	local, peer  string
	connections  int
	got          bool // a connection
	redirectedTo string
}

// interimResponse is one that came before the response.
type interimResponse struct {
	Status int         `json:"status"`
	Header http.Header `json:"header"`
}

// transferTimes are when something happened first, or last if there are redirects.
type transferTimes struct {
	start, lookup, connect, secured, sent, firstByte, end, redirect time.Time
}

// begin forgets the attempt before.
func (t *transfer) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.uploaded.Store(0)
	t.downloaded.Store(0)
	t.encoded.Store(0)
	t.resp, t.content, t.redirects, t.interim, t.shown, t.fields = nil, nil, 0, nil, nil, nil
	t.tls, t.local, t.peer, t.connections, t.got, t.redirectedTo = nil, "", "", 0, false, ""
	t.times = transferTimes{start: time.Now()}
}

// connected reports whether there was a connection.
func (t *transfer) connected() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.got
}

// redirected says which request is sent next: the first, or one that a redirect asks for.
func (t *transfer) redirected(req *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = req
	if resp := req.Response; resp != nil {
		t.redirects++
		t.times.redirect = time.Now()
		t.shown = append(t.shown, headText(resp))
		t.say("< ", headText(resp))
	}
}

// answered takes note of the response.
func (t *transfer) answered(resp *http.Response) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.resp = resp
	if resp.TLS != nil {
		t.tls = resp.TLS
	}
	if to, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		t.redirectedTo = to.String()
	}
	t.shown = append(t.shown, headText(resp))
	t.say("< ", headText(resp))
}

// heads returns the header sections that came, each with an empty line after it.
func (t *transfer) heads() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.shown, "")
}

// headText is a response's header section as -i shows it.
func headText(resp *http.Response) string {
	version := fmt.Sprintf("HTTP/%d", resp.ProtoMajor)
	if resp.ProtoMajor == 1 {
		version = resp.Proto
	}
	return fmt.Sprintf("%s %d \r\n%s\r\n", version, resp.StatusCode, headerText(resp.Header))
}

// headerText writes a header in lower case, sorted, one field to a line. Values may
// have bytes beyond ASCII, which a terminal must not take for commands.
func headerText(header http.Header) string {
	var lines []string
	for name, values := range header {
		for _, value := range values {
			lines = append(lines, terminal.Line(strings.ToLower(name)+": "+value)+"\r\n")
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// trace returns the hooks that take notes.
func (t *transfer) trace() *httptrace.ClientTrace {
	note := func(at *time.Time) {
		t.mu.Lock()
		defer t.mu.Unlock()
		*at = time.Now()
	}
	return &httptrace.ClientTrace{
		DNSDone: func(info httptrace.DNSDoneInfo) {
			note(&t.times.lookup)
			t.sayLookup(info)
		},
		ConnectStart: func(network, addr string) { t.sayf("* trying %s over %s", addr, strings.ToUpper(network)) },
		ConnectDone: func(network, addr string, err error) {
			if err != nil {
				t.sayf("* %s over %s: %v", addr, strings.ToUpper(network), err)
				return
			}
			note(&t.times.connect)
		},
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				t.sayf("* the handshake failed: %v", err)
				return
			}
			note(&t.times.secured)
		},
		GotConn:          t.gotConn,
		WroteHeaderField: t.wroteField,
		WroteHeaders:     t.wroteHeaders,
		GotFirstResponseByte: func() {
			note(&t.times.firstByte)
		},
		Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
			t.mu.Lock()
			defer t.mu.Unlock()
			t.interim = append(t.interim, interimResponse{status, http.Header(header)})
			text := fmt.Sprintf("HTTP/%s %d \r\n%s\r\n", t.version(), status, headerText(http.Header(header)))
			t.shown = append(t.shown, text)
			t.say("< ", text)
			return nil
		},
	}
}

// gotConn takes note of the connection that a request is sent on.
func (t *transfer) gotConn(info httptrace.GotConnInfo) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.got = true
	if !info.Reused {
		t.connections++
	}
	t.local, t.peer = info.Conn.LocalAddr().String(), info.Conn.RemoteAddr().String()
	if secured, ok := info.Conn.(interface{ ConnectionState() tls.ConnectionState }); ok {
		state := secured.ConnectionState()
		t.tls = &state
	}
	t.sayConn(info)
}

// version is that of HTTP on the connection, as -v and -w have it.
func (t *transfer) version() string {
	switch {
	case t.resp != nil && t.resp.ProtoMajor == 1:
		return fmt.Sprintf("1.%d", t.resp.ProtoMinor)
	case t.resp != nil:
		return fmt.Sprint(t.resp.ProtoMajor)
	case t.tls != nil && t.tls.NegotiatedProtocol == "h3":
		return "3"
	case t.tls != nil && t.tls.NegotiatedProtocol == "h2":
		return "2"
	}
	return "1.1"
}

// end writes what comes after a URL, and lets the next one write.
func (t *transfer) end(ctx context.Context) {
	defer close(t.done)
	t.times.end = time.Now()
	if t.f.opts.writeOut == "" && !bool(t.f.opts.format) {
		return
	}
	select {
	case <-t.turn:
	case <-ctx.Done():
		return
	}
	if bool(t.f.opts.format) {
		t.report()
	}
	t.writeOut()
}

// dump appends to the file of --dump-header, if there is one.
func (f *fetcher) dump(text string) error {
	path := f.opts.dumpHeader
	if path == "" {
		return nil
	}
	f.dumping.Lock()
	defer f.dumping.Unlock()
	if path == stdoutName {
		_, err := io.WriteString(f.app.stdout, text)
		return err
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND
	if !f.dumped {
		flags |= os.O_TRUNC
		f.dumped = true
	}
	file, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return err
	}
	_, err = io.WriteString(file, text)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}

// countedBody counts what is sent, or what comes before it is decoded.
type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// countingWriter counts what has come.
type countingWriter struct {
	w         io.Writer
	n         *atomic.Int64
	lineEnded bool // with what was written last
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if n > 0 {
		c.lineEnded = p[n-1] == '\n'
	}
	c.n.Add(int64(n))
	return n, err
}

// hostPort cuts an address into its host and port, as far as it has them.
func hostPort(addr string) (host, port string) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr, ""
	}
	return host, port
}
