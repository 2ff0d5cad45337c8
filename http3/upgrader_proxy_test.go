package http3

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
)

// serveProxy starts a proxy that takes CONNECT requests, and returns its URL.
func serveProxy(t *testing.T) *url.URL {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			running.Go(func() { relay(t, client) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		running.Wait()
	})
	return &url.URL{Scheme: "http", Host: ln.Addr().String()}
}

// relay serves a CONNECT request.
func relay(t *testing.T, client net.Conn) {
	defer client.Close()
	r := bufio.NewReader(client)
	req, err := http.ReadRequest(r)
	if err != nil || req.Method != http.MethodConnect {
		t.Errorf("the proxy was asked for %v, %v", req, err)
		return
	}
	server, err := net.Dial("tcp", req.RequestURI)
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	_, _ = io.Copy(server, r)
	_ = server.Close()
	back.Wait()
}

// TestAltSvcProxy: what goes through a proxy stays there, whatever Alt-Svc says.
func TestAltSvcProxy(t *testing.T) {
	s := serveBoth(t, echoBody)
	proxy := serveProxy(t)
	u := newUpgrader(t)
	tcp := u.TCP.(*http.Transport)
	tcp.Proxy = http.ProxyURL(proxy)
	for i := range 3 {
		if got := u.proto(t, "POST", s.url, "content"); got != "HTTP/2.0" {
			t.Errorf("request %d is %s", i, got)
		}
	}
	tcp.Proxy = func(*http.Request) (*url.URL, error) { return nil, errors.New("which proxy?") }
	if !u.proxied(mustRequest(t, s.url)) {
		t.Error("HTTP/3 may be used without knowing the proxy")
	}
}
