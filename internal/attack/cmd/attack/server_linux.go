package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// server is a `godwit serve`.
type server struct {
	cmd    *exec.Cmd
	addr   string // host:port
	log    *log
	unread *os.File // the end of standard error that nobody reads
	done   chan struct{}
	err    error // of the process, when done is closed
}

// startPatience is how long a server may take until it says where it listens.
const startPatience = 10 * time.Second

// start starts a server on a free port of loopback.
func (p *plan) start(ctx context.Context, logUnread bool) (*server, error) {
	cmd := exec.CommandContext(ctx, p.server, "serve", "--listen", "127.0.0.1:0")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s := &server{cmd: cmd, log: new(log), done: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = write
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	err = withCPUs(p.theirs, cmd.Start)
	write.Close()
	if err != nil {
		read.Close()
		return nil, err
	}
	if logUnread {
		s.unread = read
	} else {
		go func() {
			_, _ = io.Copy(s.log, read)
			read.Close()
		}()
	}
	watchdog := time.AfterFunc(startPatience, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err == nil {
		s.addr, err = address(line)
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines) // until the process ends
		s.err = cmd.Wait()
		close(s.done)
	}()
	if !watchdog.Stop() || err != nil {
		s.stop()
		return nil, fmt.Errorf("%w: %s", err, s.log)
	}
	return s, nil
}

// address reads the URL at the end of a line.
func address(line string) (string, error) {
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return "", fmt.Errorf("it printed no address")
	}
	u, err := url.Parse(fields[len(fields)-1])
	if err != nil || u.Port() == "" {
		return "", fmt.Errorf("it printed no address: %q", line)
	}
	return "127.0.0.1:" + u.Port(), nil
}

// stop ends the process.
func (s *server) stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.done
	if s.unread != nil {
		s.unread.Close()
	}
}

// ended returns why the server ended by itself, nil if it runs.
func (s *server) ended() error {
	select {
	case <-s.done:
		return fmt.Errorf("%v", s.cmd.ProcessState)
	default:
		return nil
	}
}

// quiet waits until the server has next to nothing to do, and reports whether that
// came in time. Honest clients, which go on, take a hundredth of a processor.
func (s *server) quiet(ctx context.Context) bool {
	const (
		step  = 250 * time.Millisecond
		idle  = step / 12
		times = 2 // in a row
	)
	calm := 0
	for start := time.Now(); time.Since(start) < quietPatience; {
		before := s.cpu()
		if !sleep(ctx, step) || s.ended() != nil {
			return true
		}
		if s.cpu()-before > idle {
			calm = 0
		} else if calm++; calm == times {
			return true
		}
	}
	return false
}

// log keeps the end of what is written to it, and counts lines.
type log struct {
	mu    sync.Mutex
	b     []byte
	lines int
}

const maxLog = 2000 // bytes

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines += strings.Count(string(p), "\n")
	l.b = append(l.b, p...)
	if excess := len(l.b) - maxLog; excess > 0 {
		l.b = l.b[excess:]
	}
	return len(p), nil
}

func (l *log) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// String returns what was kept, on one line.
func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.ReplaceAll(strings.TrimSpace(string(l.b)), "\n", "; ")
}
