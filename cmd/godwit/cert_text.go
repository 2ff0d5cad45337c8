package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// certUse tells what a new certificate is for.
func certUse(files *certFiles, leaf *x509.Certificate, hash [sha256.Size]byte) string {
	hosts := devcert.Hosts(leaf)
	host := strings.Replace(hosts[0], "*", "www", 1)
	url := "https://" + net.JoinHostPort(host, "4433")
	serve := fmt.Sprintf("godwit serve --cert %s --key %s", files.cert, files.key)
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		serve += " --listen :4433"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s with its key %s is for %s, until %s.\n\n",
		files.cert, files.key, strings.Join(hosts, ", "), formatTime(leaf.NotAfter))
	fmt.Fprintf(&b, "serve with it:\n  %s\n", serve)
	fmt.Fprintf(&b, "connect to that:\n  godwit get --cacert %s %s/\n  godwit wt --cert-hash %s %s/wt/echo\n",
		files.cert, url, devcert.FormatHash(hash), url)
	fmt.Fprintf(&b, "connect from a page, which needs no other trust in the certificate:\n  %s\n", javaScript(hash))
	return b.String()
}

// javaScript returns the line by which a page accepts a certificate, in words that
// every browser with WebTransport knows.
func javaScript(hash [sha256.Size]byte) string {
	return fmt.Sprintf(`new WebTransport(url, {serverCertificateHashes: [{algorithm: "sha-256", value: Uint8Array.from(atob("%s"), c => c.charCodeAt(0))}]})`,
		base64.StdEncoding.EncodeToString(hash[:]))
}

// formatTime writes a time to the minute.
func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// formatLeft writes how long a certificate still lasts, or that it does not.
func formatLeft(leaf *x509.Certificate, now time.Time) string {
	if err := devcert.CheckValid(leaf, now); err != nil {
		return err.Error()
	}
	left := leaf.NotAfter.Sub(now)
	if days := int(left / (24 * time.Hour)); days != 1 && left >= 24*time.Hour {
		return fmt.Sprintf("%d days left", days)
	}
	return fmt.Sprintf("%d hours left", int(left/time.Hour))
}
