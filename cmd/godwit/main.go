// Command godwit serves and fetches over HTTP/3, opens WebTransport sessions, and
// measures.
//
//	godwit serve                      a demo server at https://localhost:4433/
//	godwit serve DIR                  the files of a directory
//	godwit get -k https://localhost:4433/info
//	godwit load -k -D 10 https://localhost:4433/hello
//	godwit wt -k https://localhost:4433/wt/echo
//	godwit cert make                  a certificate to develop with
//	godwit perf serve                 the QUIC performance protocol, server
//	godwit perf run localhost:4433    and client
//	godwit version
//
// Run any of them with --help for its flags. All of them write qlog files with
// --qlog-dir DIR and TLS secrets to the file that SSLKEYLOGFILE names.
//
// The exit code is 0 for success, 1 for a failure, 2 for wrong usage, and 130 after an
// interrupt. Those of get are curl's, like 7 for a connection that was refused and 22 for an
// HTTP status of 400 or more with --fail. For wt it is 22 when the session is refused, and 3
// when the server closes it with a code other than 0.
package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// shutdownGrace is how long requests under way may take when a server is to end:
// most are done by then, and those of clients that are gone never will be.
const shutdownGrace = 10 * time.Second

func main() {
	signals := make(chan os.Signal, 2) // the second one must not be missed
	// A hangup has a server read its certificates again. That of its terminal ends it as a
	// request to terminate does, and not without a word: its clients are told.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP)
	}
	a := &app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: os.Getenv, signals: signals, grace: shutdownGrace,
	}
	if dir, err := os.UserCacheDir(); err == nil {
		a.cacheDir = filepath.Join(dir, "godwit")
	}
	os.Exit(a.run(os.Args[1:]))
}
