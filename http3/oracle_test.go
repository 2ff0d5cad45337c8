package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// The oracle is net/http: the same handler and the same client are run over
// HTTP/1.1, HTTP/2 and HTTP/3, and what they observe must be the same. Where it
// is not, the table says what is observed instead, and why.

// behaviour is one row of the oracle's table.
type behaviour struct {
	name     string
	settings settings
	// handler is the server's side, visit the client's; nil for a GET request
	// of "/". What both note is what is compared.
	handler func(v *visit, w http.ResponseWriter, r *http.Request)
	visit   func(v *visit)
	// differs lists the protocols that do not do as the others do.
	differs []difference
}

// difference is what a protocol does in a way of its own.
type difference struct {
	protocol string
	observed string // all that is noted
	because  string // which section of an RFC, or which issue, has it so
}

// differing adds the differences to a row.
func differing(differs []difference, b behaviour) behaviour {
	b.differs = differs
	return b
}

// reasons are what a difference can be justified by.
var reasons = regexp.MustCompile(`RFC \d+, Section \d|net/http`)

// settings are those of servers and transports that have the same meaning for
// every protocol.
type settings struct {
	maxHeaderBytes, maxResponseHeaderBytes int
	readTimeout, readHeaderTimeout         time.Duration
	writeTimeout                           time.Duration
	responseHeaderTimeout, expectTimeout   time.Duration
	disableCompression                     bool
}

// The protocols that are compared.
const (
	http1 = "HTTP/1.1"
	http2 = "HTTP/2"
	http3 = "HTTP/3"
)

var protocols = []string{http1, http2, http3}

// visit is a behaviour being looked at over one protocol.
type visit struct {
	t        testing.TB
	ctx      context.Context
	protocol string
	url      string // of the server, without a path
	client   *http.Client
	handler  func(v *visit, w http.ResponseWriter, r *http.Request)
	running  atomic.Int32 // handlers
	event    chan struct{}

	mu                   sync.Mutex
	clientSaw, serverSaw []string // what both sides have observed
}

// note adds to what the client observes.
func (v *visit) note(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.clientSaw = append(v.clientSaw, fmt.Sprintf(format, args...))
}

// see adds to what the server observes.
func (v *visit) see(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.serverSaw = append(v.serverSaw, fmt.Sprintf(format, args...))
}

// observed is everything noted, in one line.
func (v *visit) observed() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	all := "client: " + strings.Join(v.clientSaw, "; ")
	if len(v.serverSaw) > 0 {
		all += " | server: " + strings.Join(v.serverSaw, "; ")
	}
	return all
}

// happened and await order the two sides.
func (v *visit) happened() { v.event <- struct{}{} }
func (v *visit) await()    { wait(v.t, "the other side of "+v.t.Name(), v.event) }

// request makes a request; fields are like "Name: value".
func (v *visit) request(method, path string, body io.Reader, fields ...string) *http.Request {
	req, err := http.NewRequestWithContext(v.ctx, method, v.url+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		req.Header.Add(name, value)
	}
	return req
}

// get sends a GET request and notes the response.
func (v *visit) get(path string, fields ...string) { v.send(v.request("GET", path, nil, fields...)) }

// post sends a POST request with a body of known length.
func (v *visit) post(path, body string, fields ...string) {
	v.send(v.request("POST", path, strings.NewReader(body), fields...))
}

// send sends a request and notes all of the response.
func (v *visit) send(req *http.Request) {
	if resp := v.begin(req); resp != nil {
		v.read(resp)
	}
}

// begin sends a request and notes the response's header. It returns nil when
// there is none.
func (v *visit) begin(req *http.Request) *http.Response {
	resp, err := v.client.Do(req)
	if err != nil {
		v.note("no response: %s", kind(err))
		return nil
	}
	v.note("%s", resp.Status)
	v.note("length %d", resp.ContentLength)
	if resp.Uncompressed {
		v.note("uncompressed")
	}
	for _, key := range slices.Sorted(maps.Keys(resp.Header)) {
		switch value := strings.Join(resp.Header[key], " / "); key {
		case "Connection": // RFC 9114, Section 4.2: the others have nothing like it
		case "Date":
			if _, err := http.ParseTime(value); err != nil {
				v.note("%s: %s", key, value)
			}
		default:
			v.note("%s: %s", key, value)
		}
	}
	return resp
}

// read notes the rest of a response.
func (v *visit) read(resp *http.Response) {
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if len(content) > 100 {
		v.note("%d bytes", len(content))
	} else {
		v.note("%q", content)
	}
	if err != nil {
		v.note("then %s", kind(err))
	}
	for _, key := range slices.Sorted(maps.Keys(resp.Trailer)) {
		v.note("trailer %s: %s", key, strings.Join(resp.Trailer[key], " / "))
	}
}

// kind says what sort of error it is; the texts differ.
func kind(err error) string {
	var timeout net.Error
	var tooLarge *http.MaxBytesError
	for _, known := range []error{
		context.Canceled, context.DeadlineExceeded, http.ErrBodyNotAllowed, http.ErrContentLength, http.ErrBodyReadAfterClose,
		http.ErrNotSupported, http.ErrUseLastResponse, errTest, io.ErrClosedPipe,
	} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	switch {
	case err == nil:
		return "no error"
	case err == io.EOF:
		return "EOF"
	case errors.As(err, &tooLarge):
		return fmt.Sprintf("more than %d bytes", tooLarge.Limit)
	case errors.As(err, &timeout) && timeout.Timeout():
		return "a timeout"
	}
	return "an error"
}

var errTest = errors.New("the test's own error")

// oracleServer is a server for many visits and a transport to it.
type oracleServer struct {
	url       string
	transport http.RoundTripper
	close     func()
	visits    sync.Map // by number
	count     int
}

// visitField tells the server which visit a request belongs to. Handlers do not
// see it.
const visitField = "Oracle-Visit"

func (s *oracleServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, ok := s.visits.Load(r.Header.Get(visitField))
	if !ok {
		http.Error(w, "no such visit", http.StatusTeapot)
		return
	}
	v := found.(*visit)
	r.Header.Del(visitField)
	v.running.Add(1)
	defer v.running.Add(-1)
	v.handler(v, w, r)
}

// numbered is a transport for one visit.
type numbered struct {
	http.RoundTripper
	number string
}

func (n numbered) RoundTrip(req *http.Request) (*http.Response, error) {
	tagged := *req
	if tagged.Header = req.Header.Clone(); tagged.Header == nil {
		tagged.Header = make(http.Header)
	}
	tagged.Header.Set(visitField, n.number)
	return n.RoundTripper.RoundTrip(&tagged)
}

// newOracleServer starts a server.
func newOracleServer(t testing.TB, protocol string, set settings) *oracleServer {
	s := new(oracleServer)
	serverTLS, clientTLS := peertest.TLS(t)
	if protocol == http3 {
		srv := &Server{
			Handler: s, TLSConfig: serverTLS, Logger: slog.New(slog.DiscardHandler), MaxHeaderBytes: set.maxHeaderBytes,
			ReadTimeout: set.readTimeout, ReadHeaderTimeout: set.readHeaderTimeout, WriteTimeout: set.writeTimeout,
		}
		ln, err := srv.Listen("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(ln) }()
		transport := &Transport{
			TLSClientConfig: clientTLS, MaxResponseHeaderBytes: int64(set.maxResponseHeaderBytes), DisableCompression: set.disableCompression,
			ResponseHeaderTimeout: set.responseHeaderTimeout, ExpectContinueTimeout: set.expectTimeout,
		}
		s.url, s.transport = "https://"+ln.Addr().String(), transport
		s.close = func() {
			_ = transport.Close()
			_ = srv.Close()
			<-served
		}
		return s
	}
	ts := httptest.NewUnstartedServer(s)
	ts.TLS, ts.EnableHTTP2 = serverTLS.Clone(), protocol == http2
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.Config.MaxHeaderBytes = set.maxHeaderBytes
	ts.Config.ReadTimeout, ts.Config.ReadHeaderTimeout, ts.Config.WriteTimeout = set.readTimeout, set.readHeaderTimeout, set.writeTimeout
	ts.StartTLS()
	transport := &http.Transport{
		TLSClientConfig: clientTLS.Clone(), Protocols: new(http.Protocols),
		MaxResponseHeaderBytes: int64(set.maxResponseHeaderBytes), DisableCompression: set.disableCompression,
		ResponseHeaderTimeout: set.responseHeaderTimeout, ExpectContinueTimeout: set.expectTimeout,
	}
	transport.Protocols.SetHTTP1(protocol == http1)
	transport.Protocols.SetHTTP2(protocol == http2)
	s.url, s.transport = ts.URL, transport
	s.close = func() {
		transport.CloseIdleConnections()
		ts.CloseClientConnections()
		ts.Close()
	}
	return s
}

// look runs a behaviour and returns what was observed.
func (s *oracleServer) look(t testing.TB, protocol string, b *behaviour) string {
	s.count++
	number := strconv.Itoa(s.count)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	v := &visit{
		t: t, ctx: ctx, protocol: protocol, url: s.url, handler: b.handler, event: make(chan struct{}, 10),
		client: &http.Client{Transport: numbered{s.transport, number}},
	}
	s.visits.Store(number, v)
	if b.visit != nil {
		b.visit(v)
	} else {
		v.get("/")
	}
	if !eventually(func() bool { return v.running.Load() == 0 }) {
		t.Errorf("%s: a handler does not return", protocol)
	}
	return v.observed()
}

// oracle is the whole table.
var oracle = slices.Concat(oracleStatus, oracleHeader, oracleContent, oracleInterim, oracleTrailers, oracleRequest, oracleUpload, oracleEnds,
	oracleHandlers, oracleRanges, oracleClient, oracleTrace, oracleRefused, oracleGzip, oracleLimits)

func TestOracle(t *testing.T) {
	const atLeast = 150
	if len(oracle) < atLeast {
		t.Errorf("%d behaviours, want %d", len(oracle), atLeast)
	}
	servers := make(map[string]*oracleServer)
	for _, protocol := range protocols {
		servers[protocol] = newOracleServer(t, protocol, settings{})
		defer servers[protocol].close()
	}
	names := make(map[string]bool)
	for i := range oracle {
		b := &oracle[i]
		if names[b.name] {
			t.Errorf("two behaviours are called %q", b.name)
		}
		names[b.name] = true
		t.Run(b.name, func(t *testing.T) {
			observed := make(map[string]string)
			for _, protocol := range protocols {
				s := servers[protocol]
				if b.settings != (settings{}) {
					s = newOracleServer(t, protocol, b.settings)
					defer s.close()
				}
				observed[protocol] = s.look(t, protocol, b)
			}
			compare(t, b, observed)
		})
	}
}

// compare checks that the protocols agree, but for the differences listed.
func compare(t *testing.T, b *behaviour, observed map[string]string) {
	t.Helper()
	listed := make(map[string]bool)
	for _, d := range b.differs {
		listed[d.protocol] = true
		if observed[d.protocol] != d.observed {
			t.Errorf("%s:\n got %s\nwant %s", d.protocol, observed[d.protocol], d.observed)
		}
		if !reasons.MatchString(d.because) {
			t.Errorf("%s: %q is no reason", d.protocol, d.because)
		}
	}
	var like string // the protocol that the others are compared with
	for _, protocol := range protocols {
		switch {
		case listed[protocol]:
		case like == "":
			like = protocol
		case observed[protocol] != observed[like]:
			t.Errorf("%s and %s differ:\n%s\n%s", like, protocol, observed[like], observed[protocol])
		}
	}
	for protocol := range listed {
		if observed[protocol] == observed[like] {
			t.Errorf("%s does not differ from %s", protocol, like)
		}
	}
	if testing.Verbose() {
		t.Log(observed[like])
	}
}
