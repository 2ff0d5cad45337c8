package http3

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// TestServe requests over HTTP/1.1, HTTP/2 and HTTP/3 at one port.
func TestServe(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })}
	ln, err := s.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if ln.Addr().String() != ln.tcp[0].Addr().String() {
		t.Errorf("TCP %v, UDP %v", ln.tcp[0].Addr(), ln.Addr())
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	for proto, transport := range map[string]http.RoundTripper{
		"HTTP/1.1": &http.Transport{TLSClientConfig: clientTLS.Clone()},
		"HTTP/2.0": &http.Transport{TLSClientConfig: clientTLS.Clone(), ForceAttemptHTTP2: true},
		"HTTP/3.0": &Transport{TLSClientConfig: clientTLS},
	} {
		client := &http.Client{Transport: transport}
		resp, err := client.Get("https://" + ln.Addr().String())
		if err != nil {
			t.Errorf("%s: %v", proto, err)
			continue
		}
		content, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(content) != proto || resp.Proto != proto || err != nil {
			t.Errorf("%s: %s %q, %v", proto, resp.Proto, content, err)
		}
		want := `h3=":` + port + `"; ma=86400`
		if proto == "HTTP/3.0" {
			want = ""
		}
		if got := resp.Header.Get("Alt-Svc"); got != want {
			t.Errorf("%s: Alt-Svc %q, want %q", proto, got, want)
		}
		client.CloseIdleConnections()
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := wait(t, "Serve", served); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// TestServeLocalhost: localhost has two addresses, and every protocol is at both.
func TestServeLocalhost(t *testing.T) {
	probe, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		peertest.LeaveOut(t, "IPv6", err.Error())
	}
	probe.Close()
	serverTLS, clientTLS := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Proto) })}
	ln, err := s.ListenAll("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	for _, host := range []string{"127.0.0.1", "::1"} {
		for _, transport := range []http.RoundTripper{
			&http.Transport{TLSClientConfig: clientTLS.Clone(), ForceAttemptHTTP2: true}, &Transport{TLSClientConfig: clientTLS},
		} {
			client := &http.Client{Transport: transport}
			resp, err := client.Get("https://" + net.JoinHostPort(host, port))
			if err != nil {
				t.Errorf("%T at %s: %v", transport, host, err)
				continue
			}
			resp.Body.Close()
			client.CloseIdleConnections()
		}
	}
	if _, err := s.ListenAll("localhost:" + port); err == nil {
		t.Error("the port is free")
	}
	if err := s.Shutdown(testContext(t)); err != nil {
		t.Error(err)
	}
	if err := wait(t, "Serve", served); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// TestListenAndServeLocalhost is TestServeLocalhost for UDP alone, where nobody knows the
// addresses.
func TestListenAndServeLocalhost(t *testing.T) {
	probe, err := net.ListenPacket("udp6", "[::1]:0")
	if err != nil {
		peertest.LeaveOut(t, "IPv6", err.Error())
	}
	probe.Close()
	serverTLS, clientTLS := peertest.TLS(t)
	s := &Server{Addr: "localhost:0", TLSConfig: serverTLS, DisableTCP: true, Handler: http.NotFoundHandler()}
	served := make(chan error, 1)
	go func() { served <- s.ListenAndServe() }()
	var addrs []string
	if !eventually(func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		addrs = nil
		for ln := range s.listeners {
			addrs = append(addrs, ln.Addr().String())
		}
		return len(addrs) == 2
	}) {
		t.Fatalf("listens on %v, want two addresses", addrs)
	}
	for _, addr := range addrs {
		client := &http.Client{Transport: &Transport{TLSClientConfig: clientTLS}}
		resp, err := client.Get("https://" + addr)
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		resp.Body.Close()
		client.CloseIdleConnections()
	}
	if _, port, _ := net.SplitHostPort(addrs[0]); !strings.HasSuffix(addrs[1], ":"+port) {
		t.Errorf("%v do not share a port", addrs)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := wait(t, "ListenAndServe", served); !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
}

// TestListenInUse: nobody else may be at localhost's other address.
func TestListenInUse(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS}
	for _, name := range []string{"TCP", "UDP"} {
		ln, err := s.ListenAll("localhost:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if len(ln.udp) == 1 {
			peertest.LeaveOut(t, "IPv6", "localhost needs an IPv6 address")
		}
		addr := "localhost:" + strconv.Itoa(ln.udp[1].Addr().(*net.UDPAddr).Port)
		other := ln.tcp[1].Close
		if name == "TCP" {
			other = ln.udp[1].Transport().Close
		}
		if err := errors.Join(ln.tcp[0].Close(), ln.udp[0].Transport().Close(), other()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.ListenAll(addr); err == nil || !strings.Contains(err.Error(), "[::1]:") {
			t.Errorf("%s: %v does not name the address in use", name, err)
		}
	}
}

// TestServeFails closes one of the listeners: the other is not served alone.
func TestServeFails(t *testing.T) {
	for _, name := range []string{"TCP", "UDP"} {
		serverTLS, _ := peertest.TLS(t)
		s := &Server{TLSConfig: serverTLS}
		ln, err := s.ListenAll("127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if name == "TCP" {
			ln.tcp[0].Close()
		} else {
			ln.udp[0].Close()
		}
		if err := ln.Serve(); err == nil || errors.Is(err, http.ErrServerClosed) || !strings.Contains(err.Error(), ln.Addr().String()) {
			t.Errorf("%s closed: %v", name, err)
		}
	}
}

func TestListenFails(t *testing.T) {
	serverTLS, _ := peertest.TLS(t)
	s := &Server{TLSConfig: serverTLS}
	ln, err := s.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().String()
	if _, err := s.ListenAll(addr); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("TCP in use: %v", err)
	}
	if err := ListenAndServe(addr, nil); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("ListenAndServe: %v", err)
	}
	if err := (&Server{Addr: addr, TLSConfig: serverTLS, DisableTCP: true}).ListenAndServe(); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("UDP in use: %v", err)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	if err := ListenAndServeTLS(addr, missing, missing, nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("no certificate: %v", err)
	}
	for _, addr := range []string{"", ":0", "0.0.0.0:0", "192.0.2.1:443"} {
		if err := ListenAndServe(addr, nil); err == nil || !strings.Contains(err.Error(), "no certificate") {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// TestListenAndServeTLS: the files' certificate takes the place of the configuration's, and
// need not be named where that has one.
func TestListenAndServeTLS(t *testing.T) {
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := devcert.Save(certFile, keyFile, cert); err != nil {
		t.Fatal(err)
	}
	serverTLS, _ := peertest.TLS(t)
	for _, test := range []struct {
		certFile, keyFile string
		want              []byte
	}{
		{certFile, keyFile, cert.Certificate[0]},
		{"", "", serverTLS.Certificates[0].Certificate[0]},
	} {
		s := &Server{Addr: "localhost:0", TLSConfig: serverTLS}
		_ = s.Close() // so that it returns
		if err := s.ListenAndServeTLS(test.certFile, test.keyFile); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
		if conf, err := s.tlsConfig("192.0.2.1:443"); err != nil || !bytes.Equal(conf.Certificates[0].Certificate[0], test.want) {
			t.Errorf("%q: another certificate, %v", test.certFile, err)
		}
	}
}

func TestDevelopmentCertificate(t *testing.T) {
	log := new(logged)
	s := &Server{Logger: slog.New(slog.NewTextHandler(log, nil))}
	first, err := s.tlsConfig("localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.tlsConfig("localhost:0")
	if err != nil || first != second {
		t.Errorf("TCP and UDP have different certificates, %v", err)
	}
	s.logHandler().Flush()
	if strings.Count(log.String(), "sha256=") != 1 {
		t.Errorf("log:\n%s", log)
	}
	own, _ := peertest.TLS(t)
	s = &Server{TLSConfig: own}
	if conf, err := s.tlsConfig("localhost:0"); err != nil || &conf.Certificates[0].Certificate[0][0] != &own.Certificates[0].Certificate[0][0] {
		t.Errorf("the user's certificate is not used, %v", err)
	}
}

// TestConfigByServerName is the row "TLS config per SNI" of the known attacks:
// whichever configuration is chosen, it negotiates HTTP/3 and nothing else.
func TestConfigByServerName(t *testing.T) {
	serverTLS, clientTLS := peertest.TLS(t)
	serverTLS.NextProtos = []string{"http/1.1"}
	asked := make(chan string, 10)
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS.NegotiatedProtocol) }, func(s *Server) {
		s.TLSConfig = &tls.Config{GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			asked <- hello.ServerName
			return serverTLS, nil
		}}
	})
	if _, content := ts.do(t, "GET", "/", nil); content != "h3" {
		t.Errorf("negotiated %q", content)
	}
	if name := wait(t, "the server's choice", asked); name != clientTLS.ServerName {
		t.Errorf("asked for %q", name)
	}
	if serverTLS.NextProtos[0] != "http/1.1" {
		t.Error("the user's configuration was changed")
	}
	conf := forHTTP3(&tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, nil }})
	if chosen, err := conf.GetConfigForClient(nil); chosen != nil || err != nil {
		t.Errorf("no configuration chosen: %v, %v", chosen, err)
	}
}

func TestAltSvc(t *testing.T) {
	if got, want := altSvcAt(443), `h3=":443"; ma=86400`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
