package browsers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// altSvcPatience bounds all loads of the page.
const altSvcPatience = 2 * time.Minute

// TestChromiumAltSvc has Chromium load the demo's page over TCP, learn of HTTP/3 by
// Alt-Svc, and load it over HTTP/3 then.
func TestChromiumAltSvc(t *testing.T) {
	executable := chromium(t)
	node, library := needPuppeteer(t)
	ctx, cancel := context.WithTimeout(t.Context(), altSvcPatience)
	defer cancel()
	page, _ := serveDemo(t, ctx)
	cmd := exec.CommandContext(ctx, node, "altsvc.mjs", library, executable, page+"/", publicKeyHash(t, page))
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("driving Chromium: %v\n%s\n%s", err, out, complaints.String())
	}
	type load struct{ Protocol, Shown string }
	var loads []load
	for line := range strings.Lines(string(out)) {
		var l load
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		loads = append(loads, l)
	}
	t.Logf("loads: %+v", loads)
	if first, want := loads[0], (load{"h2", "HTTP/2"}); first != want {
		t.Errorf("the first load was %+v, want %+v", first, want)
	}
	if last, want := loads[len(loads)-1], (load{"h3", "HTTP/3"}); last != want {
		t.Errorf("the last load was %+v, want %+v", last, want)
	}
}

// publicKeyHash returns the SHA-256 of the public key in a server's certificate,
// by which Chromium can be told to accept it.
func publicKeyHash(t *testing.T, server string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", u.Host, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	sum := sha256.Sum256(conn.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}
