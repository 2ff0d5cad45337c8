package main

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/internal/devcert"
)

// What -v shows, on standard error and as curl does: * before what happens, > before what
// is sent and < before what comes.

// say shows lines, each with a mark before it.
func (t *transfer) say(mark, text string) {
	if !t.f.opts.verbose || text == "" {
		return
	}
	var b strings.Builder
	for _, line := range strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\r", ""), "\n"), "\n") {
		b.WriteString(strings.TrimRight(mark+terminal.Line(line), " ") + "\n")
	}
	t.f.showing.Lock()
	defer t.f.showing.Unlock()
	_, _ = io.WriteString(t.f.app.stderr, b.String()) // there is nobody else to tell
}

func (t *transfer) sayf(format string, args ...any) { t.say("", fmt.Sprintf(format, args...)) }

func (t *transfer) sayLookup(info httptrace.DNSDoneInfo) {
	if info.Err != nil {
		t.sayf("* looking up: %v", info.Err)
		return
	}
	addrs := make([]string, len(info.Addrs))
	for i, addr := range info.Addrs {
		addrs[i] = addr.String()
	}
	t.sayf("* addresses: %s", strings.Join(addrs, ", "))
}

// sayConn shows what a connection is, and whom it leads to.
func (t *transfer) sayConn(info httptrace.GotConnInfo) {
	if !t.f.opts.verbose {
		return
	}
	if info.Reused {
		t.sayf("* using the connection to %s again", t.peer)
		return
	}
	over := "TCP"
	if t.tls != nil && t.tls.NegotiatedProtocol == "h3" {
		over = "QUIC"
	}
	t.sayf("* connected to %s from %s, HTTP/%s over %s", t.peer, t.local, t.version(), over)
	if t.tls != nil {
		t.sayTLS(t.tls)
	}
}

func (t *transfer) sayTLS(state *tls.ConnectionState) {
	resumed := ""
	if state.DidResume {
		resumed = ", resumed"
	}
	t.sayf("* %s, %s, %v%s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), state.CurveID, resumed)
	if len(state.PeerCertificates) == 0 {
		return
	}
	leaf := state.PeerCertificates[0]
	t.sayf("* certificate of %s, for %s", nameOf(leaf.Subject.String()), strings.Join(devcert.Hosts(leaf), ", "))
	t.sayf("*   issued by %s, %s", nameOf(leaf.Issuer.String()), devcert.KeyName(leaf))
	t.sayf("*   valid from %s to %s", leaf.NotBefore.UTC().Format(time.DateTime), leaf.NotAfter.UTC().Format(time.DateTime))
	t.sayf("*   SHA-256 %s", devcert.FormatHash(sha256.Sum256(leaf.Raw)))
	t.sayf("*   %s", t.trust(state, leaf))
}

func nameOf(name string) string {
	if name == "" {
		return "(no name)"
	}
	return name
}

// trust says why the certificate was accepted.
func (t *transfer) trust(state *tls.ConnectionState, leaf *x509.Certificate) string {
	host := state.ServerName
	if host == "" && t.current != nil {
		host = t.current.URL.Hostname() // an address
	}
	switch {
	case len(t.f.opts.hashes) > 0:
		return "accepted for its hash"
	case t.f.opts.insecure && leaf.VerifyHostname(host) != nil:
		return "accepted unchecked (-k), though it is not for " + nameOf(host)
	case t.f.opts.insecure:
		return "accepted unchecked (-k)"
	}
	return "trusted"
}

// wroteField takes note of a field that was sent.
func (t *transfer) wroteField(name string, values []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, value := range values {
		t.fields = append(t.fields, strings.ToLower(name)+": "+value)
	}
}

// wroteHeaders shows the fields that were sent.
func (t *transfer) wroteHeaders() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times.sent = time.Now()
	fields := t.fields
	t.fields = nil
	if !t.f.opts.verbose || t.current == nil {
		return
	}
	t.say("> ", fmt.Sprintf("%s %s HTTP/%s", t.current.Method, t.current.URL.RequestURI(), t.version()))
	for _, field := range fields {
		if strings.HasPrefix(field, ":authority: ") {
			field = "host" + strings.TrimPrefix(field, ":authority")
		}
		if !strings.HasPrefix(field, ":") || strings.HasPrefix(field, ":protocol") {
			t.say("> ", field)
		}
	}
	t.say("> ", "\n")
}
