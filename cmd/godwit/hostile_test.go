package main

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/webtransport"
)

// evil is what a terminal would take for commands: C0 and C1 controls, as UTF-8 and as
// a byte, carriage return, and a change of direction.
const evil = "\x1b]0;pwned\a\x1b[2J\rhidden \u009b31m \u202egpj"

// serveHostile runs a server that says evil things wherever it can.
func serveHostile(t *testing.T) (url string) {
	t.Helper()
	cert, _, err := devcert.Make(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/header", func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["X-Evil"] = []string{"\u009b31m \x9b31m \u202egpj"} // what HTTP lets pass
		w.Header()["Trailer"] = []string{"X-Late"}
		_, _ = w.Write([]byte("content\n"))
		w.Header()["X-Late"] = []string{"\u009b31m"}
	})
	mux.HandleFunc("/close", func(_ http.ResponseWriter, r *http.Request) {
		_ = http3.RequestConn(r).CloseWithError(0x102, evil)
	})
	mux.HandleFunc("/refuse", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, evil, http.StatusForbidden) })
	mux.HandleFunc("/session", func(w http.ResponseWriter, r *http.Request) {
		if session, err := webtransport.Upgrade(w, r); err == nil {
			_ = session.CloseWithError(7, evil)
		}
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		if session, err := webtransport.Upgrade(w, r); err == nil {
			_ = session.QUIC().CloseWithError(0x102, evil)
		}
	})
	srv := &http3.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}, Logger: slog.New(slog.DiscardHandler)}
	webtransport.Enable(srv, nil)
	ln, err := srv.ListenAll("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
	})
	return "https://" + ln.Addr().String()
}

// TestHostileServer: nothing that a server says commands the terminal that shows it.
func TestHostileServer(t *testing.T) {
	url := serveHostile(t)
	for _, args := range [][]string{
		{"get", "-k", "-i", url + "/header"},
		{"get", "-k", url + "/close"},
		{"get", "-k", "--fail", url + "/refuse"},
		{"load", "-k", "-n", "1", url + "/close"},
		{"load", "-k", "-n", "1", "--json", url + "/close"},
		{"wt", "-k", url + "/refuse"},
		{"wt", "-k", url + "/session"},
		{"wt", "-k", "--json", url + "/session"},
		{"wt", "-k", url + "/cut"},
		{"wt", "-k", "--json", url + "/cut"},
		{"perf", "run", "-k", url[len("https://"):]},
	} {
		r := godwit(t, "", args...)
		for name, text := range map[string]string{"output": onlyReturns(r.stdout), "error": r.stderr} {
			if safe := terminal.Safe(text); safe != text {
				t.Errorf("%q: standard %s has %q", args, name, text)
			}
		}
	}
}

// onlyReturns takes the carriage returns out that end the lines of a header.
func onlyReturns(text string) string {
	b := make([]byte, 0, len(text))
	for i := range len(text) {
		if text[i] != '\r' || i+1 == len(text) || text[i+1] != '\n' {
			b = append(b, text[i])
		}
	}
	return string(b)
}
