package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// server is a process that serves.
type server struct {
	cmd  *exec.Cmd
	addr string // host:port
	log  *tail
}

// startPatience is how long a server may take until it says where it listens.
const startPatience = 20 * time.Second

// start starts a server, whose first line of output ends in its address or port.
func start(ctx context.Context, argv []string) (*server, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	s := &server{cmd: cmd, log: new(tail)}
	cmd.Stderr = s.log
	cmd.WaitDelay = time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	watchdog := time.AfterFunc(startPatience, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err == nil {
		s.addr, err = address(line)
	}
	if !watchdog.Stop() || err != nil {
		s.stop()
		return nil, fmt.Errorf("%s did not start: %w: %s", argv[0], err, s.log)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }() // until the process ends
	return s, nil
}

// address reads an address, or a port of this machine, at the end of a line.
func address(line string) (string, error) {
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return "", fmt.Errorf("it printed no address")
	}
	last := fields[len(fields)-1]
	if !strings.Contains(last, ":") {
		last = net.JoinHostPort("127.0.0.1", last)
	}
	_, _, err := net.SplitHostPort(last)
	return last, err
}

func (s *server) pid() int { return s.cmd.Process.Pid }

// stop ends the process.
func (s *server) stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()         // it was killed
}

// measure runs a client to its end and reads the JSON object it prints into v.
func measure(ctx context.Context, limit time.Duration, v any, argv ...string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	log := new(tail)
	cmd.Stderr = log
	out, err := cmd.Output()
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("no end after %v", limit)
	case err != nil:
		return fmt.Errorf("%w: %s", err, log)
	}
	if err := json.Unmarshal(out, v); err != nil {
		return fmt.Errorf("%q: %w", out, err)
	}
	return nil
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const maxTail = 2000 // bytes

// Write keeps p, or its end.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, p...)
	if excess := len(t.b) - maxTail; excess > 0 {
		t.b = t.b[excess:]
	}
	return len(p), nil
}

// String returns what was kept, on one line.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.ReplaceAll(bytes.TrimSpace(t.b), []byte("\n"), []byte("; ")))
}
