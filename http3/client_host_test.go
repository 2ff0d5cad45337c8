package http3

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestASCIIHost(t *testing.T) {
	for host, want := range map[string]string{
		"":                    "",
		"example.com":         "example.com",
		"[::1%25eth0]:443":    "[::1%25eth0]:443",
		"bücher.example":      "xn--bcher-kva.example",
		"bücher.example:8443": "xn--bcher-kva.example:8443",
		"гофер.го":            "xn--c1ae0ajs.xn--c1aw",
	} {
		got, err := asciiHost(host)
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %q, %v, want %q", host, got, err, want)
		}
	}
}

// TestZone: the zone of an address counts for connecting alone.
func TestZone(t *testing.T) {
	for host, want := range map[string]string{
		"[fe80::1%eth0]:443": "[fe80::1]:443", "[fe80::1%eth0]": "[fe80::1]", "fe80::1%eth0": "fe80::1",
		"[::1]:443": "[::1]:443", "a%b:1": "a%b:1", "127.0.0.1:443": "127.0.0.1:443", "": "",
	} {
		if got := withoutZone(host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	req := mustRequest(t, "https://[fe80::1%25eth0]:8443/")
	if addr := originAddr(req.URL); addr != "[fe80::1%eth0]:8443" {
		t.Error(addr)
	}
	err := eachRequestField(req, false, func(name, value string) {
		if name == ":authority" && value != "[fe80::1]:8443" {
			t.Error(value)
		}
	})
	conf, confErr := new(Transport).tlsConfig("[fe80::1%eth0]:8443")
	if err != nil || confErr != nil || conf.ServerName != "fe80::1" {
		t.Errorf("%v, %v", err, confErr)
	}
}

// TestHostBeyondASCII: URLs and Host fields are sent, looked up and verified in their
// xn-- form.
func TestHostBeyondASCII(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host+" "+r.TLS.ServerName) })
	if _, content := ts.do(t, "GET", "/", nil, func(r *http.Request) { r.Host = "гофер.го" }); content != "xn--c1ae0ajs.xn--c1aw localhost" {
		t.Error(content)
	}
	ts.transport.TLSClientConfig.ServerName = ""
	req := mustRequest(t, "https://bücher.example:8443/")
	if got := originAddr(req.URL); got != "xn--bcher-kva.example:8443" {
		t.Error(got)
	}
}

// TestPlainConnect asks a proxy for a tunnel (RFC 9114, Section 4.4).
func TestPlainConnect(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect || r.Host != "target.example:22" || r.URL.Path != "" || r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("%s %q %v, %v", r.Method, r.Host, r.URL, r.Header)
		}
		if r.ContentLength != -1 && r.Body != http.NoBody {
			t.Errorf("the tunnel has a length of %d", r.ContentLength)
		}
		if r.Header.Get("Refuse") != "" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		w.(http.Flusher).Flush()
		in := bufio.NewReader(r.Body)
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(w, strings.ToUpper(line))
			w.(http.Flusher).Flush()
		}
	})
	pr, pw := io.Pipe()
	req, err := http.NewRequestWithContext(testContext(t), http.MethodConnect, ts.url, pr)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "target.example:22"
	resp, err := ts.transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || resp.ContentLength != -1 {
		t.Errorf("%v, length %d", resp.Status, resp.ContentLength)
	}
	answers := bufio.NewReader(resp.Body)
	for _, line := range []string{"one\n", "two\n"} {
		if _, err := io.WriteString(pw, line); err != nil {
			t.Fatal(err)
		}
		if got, err := answers.ReadString('\n'); got != strings.ToUpper(line) || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	pw.Close()
	if rest, err := io.ReadAll(answers); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	resp.Body.Close()

	req = mustRequest(t, ts.url)
	req.Method, req.Host = http.MethodConnect, "target.example:22"
	req.Header.Set("Refuse", "1")
	req.Body = io.NopCloser(strings.NewReader(""))
	if resp, err = ts.transport.RoundTrip(req); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Fatal(resp, err)
	}
	if content, err := io.ReadAll(resp.Body); string(content) != "no\n" || err != nil {
		t.Errorf("%q, %v", content, err)
	}
	resp.Body.Close()
}

// TestLargeResponseHeaderByDefault: what net/http takes by default is taken.
func TestLargeResponseHeaderByDefault(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Large", strings.Repeat("x", 1<<20)) })
	if resp, _ := ts.do(t, "GET", "/", nil); len(resp.Header.Get("X-Large")) != 1<<20 {
		t.Error("the field is not there")
	}
}
