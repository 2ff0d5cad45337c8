package http3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"
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

// TestEndedInGotConn: a request whose context a hook ends when there is a connection is not
// sent, and the next one finds the connection as it was.
func TestEndedInGotConn(t *testing.T) {
	var served atomic.Int32
	ts := serve(t, func(http.ResponseWriter, *http.Request) { served.Add(1) })
	rather := errors.New("rather another connection")
	var group sync.WaitGroup
	for range 50 { // so that the loop is at work when some of them are queued
		group.Go(func() {
			for range 50 {
				ctx, cancel := context.WithCancelCause(t.Context())
				ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { cancel(rather) }})
				if _, err := ts.transport.RoundTrip(mustRequest(t, ts.url+"/").WithContext(ctx)); !errors.Is(err, rather) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	group.Wait()
	reused := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { reused = info.Reused }})
	resp, err := ts.transport.RoundTrip(mustRequest(t, ts.url+"/").WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n := served.Load(); n != 1 || !reused {
		t.Errorf("%d requests were served, reused %v", n, reused)
	}
}
