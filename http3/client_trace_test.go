package http3

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"testing"
)

// TestTraceOrder: the hooks for a new connection are called in the order in which
// net/http calls them, those for connecting with addresses rather than names.
func TestTraceOrder(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	_, port, _ := net.SplitHostPort(ts.addr)
	var mu sync.Mutex
	var order, addrs []string
	note := func(hook string) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(order, hook) { // a host may have several addresses
			order = append(order, hook)
		}
	}
	connect := func(hook string) func(network, addr string) {
		return func(network, addr string) {
			note(hook)
			mu.Lock()
			defer mu.Unlock()
			addrs = append(addrs, network+" "+addr)
		}
	}
	start, done := connect("ConnectStart"), connect("ConnectDone")
	req := mustRequest(t, "https://localhost:"+port)
	resp, err := ts.transport.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GetConn:           func(string) { note("GetConn") },
		DNSStart:          func(httptrace.DNSStartInfo) { note("DNSStart") },
		DNSDone:           func(httptrace.DNSDoneInfo) { note("DNSDone") },
		ConnectStart:      start,
		ConnectDone:       func(network, addr string, err error) { done(network, addr) },
		TLSHandshakeStart: func() { note("TLSHandshakeStart") },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			if !state.HandshakeComplete || err != nil {
				t.Errorf("%v, %v", state.HandshakeComplete, err)
			}
			note("TLSHandshakeDone")
		},
		GotConn:              func(httptrace.GotConnInfo) { note("GotConn") },
		WroteHeaders:         func() { note("WroteHeaders") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { note("WroteRequest") },
		GotFirstResponseByte: func() { note("GotFirstResponseByte") },
	})))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	mu.Lock()
	defer mu.Unlock()
	want := []string{
		"GetConn", "DNSStart", "DNSDone", "ConnectStart", "ConnectDone", "TLSHandshakeStart", "TLSHandshakeDone", "GotConn",
		"WroteHeaders", "WroteRequest", "GotFirstResponseByte",
	}
	if !slices.Equal(order, want) {
		t.Errorf("got  %v\nwant %v", order, want)
	}
	if !slices.Contains(addrs, "udp 127.0.0.1:"+port) {
		t.Errorf("connected to %q", addrs)
	}
}
