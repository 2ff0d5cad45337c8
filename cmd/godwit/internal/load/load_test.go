package load

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// serve starts a server of HTTP/1.1 and HTTP/2; that of HTTP/3 is tested with the
// command.
func serve(t *testing.T, handler http.HandlerFunc) string {
	ts := httptest.NewUnstartedServer(handler)
	ts.EnableHTTP2 = true
	ts.Config.ErrorLog = log.New(io.Discard, "", 0)
	ts.StartTLS()
	t.Cleanup(ts.Close)
	return ts.URL
}

var noCheck = &tls.Config{InsecureSkipVerify: true}

// TestRequests counts as many as were asked for, at the server too.
func TestRequests(t *testing.T) {
	var served atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != "body" || r.Host != "other.example" || r.Header.Get("X-A") != "1" || r.Method != "PUT" || r.ProtoMajor != 2 {
			t.Errorf("%s %s %q %v", r.Method, r.Host, body, r.Header)
		}
		if served.Add(1)%2 == 0 {
			w.WriteHeader(404)
		}
		io.WriteString(w, "12345")
	})
	result, err := Run(t.Context(), Options{
		URL: url, Protocol: HTTP2, TLS: noCheck, Conns: 2, Streams: 3, Requests: 100,
		Method: "PUT", Host: "other.example", Header: http.Header{"X-A": {"1"}}, Body: []byte("body"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if result.Requests() != 100 || result.Failed() != result.Statuses[404] || result.Succeeded() != result.Statuses[200] || result.Started != 100 || result.Bytes != 500 || result.Statuses[200]+result.Statuses[404] != 100 ||
		result.Connects.Count() != 2 || served.Load() != 102 {
		t.Errorf("%v, served %d", result, served.Load())
	}
}

// TestConnectTime: the time to connect ends before the first request is served.
func TestConnectTime(t *testing.T) {
	began := make(chan time.Time, 1)
	url := serve(t, func(http.ResponseWriter, *http.Request) { began <- time.Now() })
	r := &run{opts: &Options{URL: url, Protocol: HTTP2, TLS: noCheck, Conns: 1, Streams: 1}}
	start := time.Now()
	clients, release, err := r.clients()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := r.connect(t.Context(), clients); err != nil {
		t.Fatal(err)
	}
	if connected, bound := clients[0].connected, (<-began).Sub(start); connected <= 0 || connected > bound {
		t.Errorf("connected in %v, and the request was served after %v", connected, bound)
	}
}

// TestFailures counts what fails, by its reason.
func TestFailures(t *testing.T) {
	var served atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) > 1 { // the connection can be made
			panic(http.ErrAbortHandler)
		}
	})
	result, err := Run(t.Context(), Options{URL: url, Protocol: HTTP2, TLS: noCheck, Conns: 1, Streams: 1, Requests: 5})
	if err != nil {
		t.Fatal(err)
	}
	if result.Requests() != 0 || result.Failed() != 5 || len(result.Errors) == 0 {
		t.Errorf("%v", result)
	}
	var tl = tally{errors: make(map[string]uint64)}
	for i := range 3 * maxErrors {
		tl.fail(errText(strings.Repeat("x", i)))
	}
	if len(tl.errors) != maxErrors+1 || tl.errors["other errors"] != 2*maxErrors {
		t.Errorf("%d errors: %v", len(tl.errors), tl.errors)
	}
}

type errText string

func (e errText) Error() string { return string(e) }

// TestInterrupted has a result of what was measured.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var served atomic.Int64
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if served.Add(1) == 10 {
			cancel()
			<-r.Context().Done()
		}
	})
	result, err := Run(ctx, Options{URL: url, Protocol: HTTP1, TLS: noCheck, Conns: 1, Streams: 1, Duration: time.Hour})
	if err != nil || result.Requests() != 8 || result.Failed() != 0 {
		t.Errorf("%v, %v", result, err)
	}
}

func TestOptions(t *testing.T) {
	for name, opts := range map[string]Options{
		"no URL":         {Conns: 1, Streams: 1, Requests: 1},
		"no https":       {URL: "http://a.example", Conns: 1, Streams: 1, Requests: 1},
		"bad URL":        {URL: "https://a.example:x", Conns: 1, Streams: 1, Requests: 1},
		"no end":         {URL: "https://a.example", Conns: 1, Streams: 1},
		"no connections": {URL: "https://a.example", Streams: 1, Requests: 1},
		"pipelining":     {URL: "https://a.example", Conns: 1, Streams: 2, Requests: 1, Protocol: HTTP1},
	} {
		if _, err := Run(t.Context(), opts); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	opts := Options{URL: "https://127.0.0.1:1", Protocol: HTTP2, TLS: noCheck, Conns: 1, Streams: 1, Requests: 1}
	if result, err := Run(t.Context(), opts); err == nil || result == nil || result.Errored() != 1 {
		t.Errorf("a connection to nobody: %v, %v", result, err)
	}
}

// TestRate: connections begin one after the other, and what they ask for takes turns.
func TestRate(t *testing.T) {
	var paths sync.Map
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { paths.Store(r.URL.RequestURI(), true) })
	told := make(chan Progress, 1000)
	result, err := Run(t.Context(), Options{
		URL: url + "/none", Paths: []string{"/a", "/b?c=1"}, Protocol: HTTP2, TLS: noCheck, Conns: 3, Streams: 2, Requests: 60, Rate: 100,
		Progress: func(p Progress) { told <- p },
	})
	if err != nil || result.Requests() != 60 || result.Succeeded() != 60 {
		t.Errorf("%v, %v", result, err)
	}
	_, a := paths.Load("/a")
	_, b := paths.Load("/b?c=1")
	if _, none := paths.Load("/none"); !a || !b || none {
		t.Errorf("asked for /a %v, /b %v, /none %v", a, b, none)
	}
	if len(told) == 0 {
		t.Error("no progress was told")
	}
}

// TestTimeouts: requests, and connections, that take too long have timed out, and the
// summary says so.
func TestTimeouts(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/fast" {
			<-r.Context().Done()
		}
	})
	for name, opts := range map[string]Options{
		"request":  {Timeout: 20 * time.Millisecond, Requests: 3},
		"active":   {ActiveTimeout: 50 * time.Millisecond, Requests: 1},
		"inactive": {InactivityTimeout: 50 * time.Millisecond, Requests: 1},
	} {
		opts.URL, opts.Protocol, opts.TLS, opts.Conns, opts.Streams = url, HTTP2, noCheck, 1, 1
		if name != "request" {
			opts.Rate = 1000 // or the first request would wait for ever
		}
		result, err := Run(t.Context(), opts)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if name == "request" && (result.TimedOut() != 3 || result.Failed() != 3) {
			t.Errorf("%s: %v", name, result)
		}
	}
	result, err := Run(t.Context(), Options{
		URL: url + "/fast", Protocol: HTTP2, TLS: noCheck, Conns: 2, Streams: 1, Duration: time.Hour, ActiveTimeout: 50 * time.Millisecond,
	})
	if err != nil || result.Requests() == 0 {
		t.Errorf("%v, %v", result, err)
	}
}

// TestCompare: a result is compared with the JSON of an earlier one.
func TestCompare(t *testing.T) {
	before := &Result{Protocol: HTTP3, Conns: 1, Streams: 1, Elapsed: time.Second, Statuses: map[int]uint64{200: 1}}
	before.Latencies.Add(time.Millisecond)
	data, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseBefore(data)
	if err != nil {
		t.Fatal(err)
	}
	now := &Result{Protocol: HTTP2, Conns: 1, Streams: 1, Elapsed: time.Second, Statuses: map[int]uint64{200: 2}}
	now.Latencies.Add(2 * time.Millisecond)
	now.Latencies.Add(2 * time.Millisecond)
	text := now.Compare(b)
	for _, want := range []string{"requests/s               1           2  +100.0 %\n", "latency p50", "before is HTTP/3, 1 connection"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, bad := range []string{"", "{}", "[]"} {
		if _, err := ParseBefore([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

// TestReport writes a result that is known.
func TestReport(t *testing.T) {
	r := &Result{
		Protocol: HTTP3, Conns: 2, Streams: 3, Elapsed: 2 * time.Second, CPU: time.Second, Bytes: 4e6,
		Statuses: map[int]uint64{200: 3, 404: 1}, Errors: map[string]uint64{"lost": 1, "timeout": 1}, Started: 6,
	}
	for _, us := range []int{100, 120, 1000, 100_000} {
		r.Latencies.Add(time.Duration(us) * time.Microsecond)
	}
	text := r.String()
	for _, want := range []string{
		"HTTP/3, 2 connections with 3 requests at a time each\n4 requests in 2s: 2/s, 2.00 MB/s\n6 started, 4 done, 3 succeeded, 3 failed, 2 errored, 1 timed out\n  status 200: 3\n  status 404: 1\n  lost: 1\n  timeout: 1\n",
		"\nup to    131µs ######################################## 2\n",
		"\nup to    134ms #################### 1\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	nothing := &Result{Protocol: HTTP1, Conns: 1, Streams: 1, Elapsed: time.Second}
	if got, want := nothing.String(), "HTTP/1.1, 1 connection with 1 request at a time each\n0 requests in 1s: 0/s, 0.00 MB/s\n0 started, 0 done, 0 succeeded, 0 failed, 0 errored, 0 timed out\n  no request was answered in that time\n"; got != want {
		t.Errorf("a report of nothing:\n%s\nwant\n%s", got, want)
	}
	b, err := json.Marshal(r)
	if want := `{"protocol":"HTTP/3","conns":2,"streams":3,"seconds":2,"cpu_s":1,"requests":4,"started":6,"succeeded":3,"failed":3,"errored":2,"timed_out":1,"requests_per_s":2,"bytes":4000000,` +
		`"statuses":{"200":3,"404":1},"errors":{"lost":1,"timeout":1},`; err != nil || !strings.HasPrefix(string(b), want) {
		t.Errorf("%s, %v", b, err)
	}
}
