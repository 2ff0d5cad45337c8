package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be the command, for tests with processes.
func TestMain(m *testing.M) {
	if os.Getenv("GODWIT_TEST_RUN_MAIN") != "" {
		main()
	}
	os.Exit(m.Run())
}

// lockedBuffer is a buffer that is read while somebody writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// result is how a command line ended.
type result struct {
	code           int
	stdout, stderr string
}

// godwit runs a command line to its end. Environment variables are given as
// NAME=value before the arguments.
func godwit(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	env := make(map[string]string)
	for len(args) > 0 && strings.Contains(args[0], "=") {
		name, value, _ := strings.Cut(args[0], "=")
		env[name], args = value, args[1:]
	}
	var stdout, stderr lockedBuffer
	a := &app{
		stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr,
		getenv: func(name string) string { return env[name] }, signals: make(chan os.Signal),
	}
	code := a.run(args)
	return result{code, stdout.String(), stderr.String()}
}

// server is a command that serves until it is interrupted.
type server struct {
	addr    string // host:port of its first line
	hash    string // of its second line
	signals chan os.Signal
	stderr  lockedBuffer
	ended   chan result // stdout is what came after the two lines
}

var (
	addrLine = regexp.MustCompile(`^serving (?:https://|perf at )([^/]+?)/?\n$`)
	hashLine = regexp.MustCompile(`^certificate SHA-256 ([0-9a-f]{64})\n$`)
)

// match returns what the expression's group stands for in a line.
func match(t *testing.T, expr *regexp.Regexp, line string) string {
	t.Helper()
	m := expr.FindStringSubmatch(line)
	if m == nil {
		t.Fatalf("%q does not match %v", line, expr)
	}
	return m[1]
}

// startServer runs a command line that prints two lines and then serves. The
// server is interrupted at the end of the test unless it has ended by then, and
// must end well.
func startServer(t *testing.T, args ...string) *server {
	t.Helper()
	return startServerGrace(t, time.Minute, args...)
}

// startServerGrace is startServer with another time for what is under way.
func startServerGrace(t *testing.T, grace time.Duration, args ...string) *server {
	t.Helper()
	s := &server{signals: make(chan os.Signal, 2), ended: make(chan result, 1)}
	out, in := io.Pipe()
	a := &app{
		stdin: strings.NewReader(""), stdout: in, stderr: &s.stderr,
		getenv: func(string) string { return "" }, signals: s.signals, grace: grace,
	}
	code := make(chan int, 1)
	go func() {
		code <- a.run(args)
		in.Close()
	}()
	lines := bufio.NewReader(out)
	first, _ := lines.ReadString('\n')
	second, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("%v ended with %d: %s", args, <-code, s.stderr.String())
	}
	s.addr, s.hash = match(t, addrLine, first), match(t, hashLine, second)
	go func() {
		rest, _ := io.ReadAll(lines)
		s.ended <- result{<-code, string(rest), s.stderr.String()}
	}()
	t.Cleanup(func() {
		select {
		case s.signals <- os.Interrupt:
		default:
		}
		if r := s.wait(); r.code != exitOK && r.code != exitInterrupted || r.stdout != "" {
			t.Errorf("%v ended with %+v", args, r)
		}
	})
	return s
}

// wait returns how the server ended. It may be called again.
func (s *server) wait() result {
	r := <-s.ended
	s.ended <- r
	return r
}

// url returns the URL of a path on the server.
func (s *server) url(path string) string { return "https://" + s.addr + path }
