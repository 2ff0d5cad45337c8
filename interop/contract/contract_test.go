package contract

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if v, ok := strings.CutPrefix(pair, name+"="); ok {
				return v
			}
		}
		return ""
	}
}

func TestRead(t *testing.T) {
	e, err := Read(env("ROLE=client", "TESTCASE=transfer", "REQUESTS=https://server4:443/a https://server4:443/b/c"))
	if err != nil {
		t.Fatal(err)
	}
	if e.WWW != "/www" || e.Downloads != "/downloads" || e.Certs != "/certs" || e.Address != ":443" || e.WebTransport() {
		t.Errorf("what the contract has is %+v", e)
	}
	if len(e.Requests) != 2 || e.Requests[0].Host != "server4:443" || e.Requests[1].Path != "/b/c" {
		t.Errorf("requests are %v", e.Requests)
	}
	e, err = Read(env("ROLE=server", "TESTCASE=handshake", `PROTOCOLS="a b"`, "REQUESTS=x/1 x/2", "WWW=w", "ADDRESS=[::1]:1"))
	if err != nil {
		t.Fatal(err)
	}
	if !e.WebTransport() || !reflect.DeepEqual(e.Protocols, []string{"a", "b"}) || !reflect.DeepEqual(e.Wanted, []string{"x/1", "x/2"}) || e.WWW != "w" || e.Address != "[::1]:1" {
		t.Errorf("a server's environment is %+v", e)
	}
	for _, bad := range [][]string{
		{"TESTCASE=handshake"},
		{"ROLE=router"},
		{"ROLE=client"},
		{"ROLE=client", "REQUESTS=http://server/a"},
		{"ROLE=client", "REQUESTS=https:///a"},
		{"ROLE=client", "REQUESTS=%zz"},
	} {
		if _, err := Read(env(bad...)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

// A path leads to nothing outside of the folders.
func TestPathsStayInside(t *testing.T) {
	dir := t.TempDir()
	e := &Environment{WWW: filepath.Join(dir, "www"), Downloads: filepath.Join(dir, "downloads")}
	for _, name := range []string{"/../secret", "../../secret", "a/../../secret", "/secret"} {
		if got := e.Source(name); got != filepath.Join(dir, "www", "secret") {
			t.Errorf("%q is %q", name, got)
		}
		f, err := e.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if f.Name() != filepath.Join(dir, "downloads", "secret") {
			t.Errorf("%q is saved to %q", name, f.Name())
		}
	}
}

// pipe is a stream whose peer has sent all it will.
type pipe struct {
	io.Reader
	bytes.Buffer
	closed bool
}

func (p *pipe) Read(b []byte) (int, error) { return p.Reader.Read(b) }
func (p *pipe) Close() error               { p.closed = true; return nil }

func TestAnswer(t *testing.T) {
	e := &Environment{WWW: t.TempDir()}
	if err := os.WriteFile(filepath.Join(e.WWW, "a"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	for request, want := range map[string]string{"GET /a\r\n": "content", "GET /a\n": "content", "GET /a": "content"} {
		s := &pipe{Reader: strings.NewReader(request)}
		if err := e.Answer(s); err != nil || s.String() != want || !s.closed {
			t.Errorf("%q is answered by %q, closed: %v, %v", request, s.String(), s.closed, err)
		}
	}
	for _, request := range []string{"", "POST /a\r\n", "GET /b\r\n", "GET a\r\n", strings.Repeat("G", maxRequestLine+1)} {
		s := &pipe{Reader: strings.NewReader(request)}
		if err := e.Answer(s); err == nil || s.closed || s.Len() > 0 {
			t.Errorf("%.20q is answered by %q, closed: %v, %v", request, s.String(), s.closed, err)
		}
	}
	if u, _ := url.Parse("https://h/a"); string(Request(u)) != "GET /a\r\n" {
		t.Errorf("a request is %q", Request(u))
	}
}

func TestPushes(t *testing.T) {
	e := &Environment{WWW: t.TempDir(), Downloads: t.TempDir()}
	if err := os.MkdirAll(filepath.Join(e.WWW, "s"), 0o755); err != nil {
		t.Fatal(err)
	}
	content := []byte("one\ntwo\n")
	if err := os.WriteFile(filepath.Join(e.WWW, "s", "a"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	pushed, err := e.pushed([]byte("GET a"), "s")
	if err != nil || string(pushed) != "PUSH a\none\ntwo\n" {
		t.Fatalf("pushed is %q, %v", pushed, err)
	}
	name, err := e.store(pushed, "s")
	if err != nil || name != "a" {
		t.Fatalf("stored is %q, %v", name, err)
	}
	if got, err := os.ReadFile(filepath.Join(e.Downloads, "s", "a")); err != nil || !slices.Equal(got, content) {
		t.Errorf("what was pushed is %q, %v", got, err)
	}
	for _, bad := range []string{"", "GET", "GET ", "PUSH a", "GET missing"} {
		if _, err := e.pushed([]byte(bad), "s"); err == nil {
			t.Errorf("no error for the request %q", bad)
		}
	}
	for _, bad := range []string{"", "PUSH a", "PUSH \n", "GET a\n"} {
		if _, err := e.store([]byte(bad), "s"); err == nil {
			t.Errorf("no error for %q, pushed", bad)
		}
	}
}

func TestTransferOf(t *testing.T) {
	if way, ok := TransferOf("transfer-datagram-send", "send"); !ok || way != "datagram" {
		t.Errorf("it is %q, %v", way, ok)
	}
	for _, other := range []string{"transfer", "transfer-datagram-receive", "transfer-pigeon-send", "handshake"} {
		if way, ok := TransferOf(other, "send"); ok {
			t.Errorf("%q is %q", other, way)
		}
	}
}

func TestUnsupportedIsKept(t *testing.T) {
	if err := (Endpoint{}).run(t.Context()); err == nil || errors.Is(err, ErrUnsupported) {
		t.Errorf("without ROLE the error is %v", err)
	}
}
