package child

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Server is a `godwit serve`. One goroutine at a time may use it.
type Server struct {
	Addr string // host:port
	Log  *Log   // its standard error

	cmd    *exec.Cmd
	trace  trace
	unread *os.File // the end of standard error that nobody reads
	done   chan struct{}
	read   chan struct{} // closed when standard error was read to its end
	err    error         // of the process, when done is closed
}

// startPatience is how long a server may take until it says where it listens.
const startPatience = 10 * time.Second

// Options are how a server is started.
type Options struct {
	// CPUs are the processors that it runs on, and none stands for this process's.
	CPUs []int
	// LogUnread has nobody read what the server writes to its standard error.
	LogUnread bool
	// Trace has the server's runtime tell what goroutines there are, for
	// [Server.Goroutines].
	Trace bool
}

// Build builds the godwit command of the tree into a directory, and returns its name.
func Build(ctx context.Context, dir string) (string, error) {
	binary := filepath.Join(dir, "godwit")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/godwit-quic/godwit/cmd/godwit")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("building the server: %w", err)
	}
	return binary, nil
}

// Start starts a server on a free port of loopback. It ends with ctx, or by
// [Server.Stop]. The error says what it wrote to its standard error, if it was read.
func Start(ctx context.Context, binary string, o Options) (*Server, error) {
	cmd := exec.CommandContext(ctx, binary, "serve", "--listen", "127.0.0.1:0")
	if o.Trace {
		cmd.Env = append(os.Environ(), traceEnv)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s := &Server{cmd: cmd, Log: new(Log), done: make(chan struct{}), read: make(chan struct{})}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = write
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	err = withCPUs(o.CPUs, cmd.Start)
	write.Close()
	if err != nil {
		read.Close()
		return nil, err
	}
	if o.LogUnread {
		s.unread = read
	} else {
		go func() {
			s.trace.copy(s.Log, read)
			read.Close()
			close(s.read)
		}()
	}
	watchdog := time.AfterFunc(startPatience, func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err == nil {
		s.Addr, err = address(line)
	}
	go func() {
		_, _ = io.Copy(io.Discard, lines) // until the process ends
		s.err = cmd.Wait()
		close(s.done)
	}()
	if !watchdog.Stop() || err != nil {
		s.Stop()
		return nil, fmt.Errorf("%w: %s", err, s.Log)
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

// Stop ends the process.
func (s *Server) Stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	<-s.done
	if s.unread != nil {
		s.unread.Close()
	}
}

// Ended returns why the server ended by itself and the last of its standard error, nil
// if it runs.
func (s *Server) Ended() error {
	select {
	case <-s.done:
		return fmt.Errorf("the server ended: %v: %s", s.cmd.ProcessState, s.Log)
	default:
		return nil
	}
}

// Quiet waits until the server has next to nothing to do, no longer than patience, and
// reports whether that came in time. Honest clients, which go on, take a hundredth of a
// processor.
func (s *Server) Quiet(ctx context.Context, patience time.Duration) bool {
	const (
		step  = 250 * time.Millisecond
		idle  = step / 12
		times = 2 // in a row
	)
	calm := 0
	for start := time.Now(); time.Since(start) < patience; {
		before := s.CPU()
		select {
		case <-ctx.Done():
			return true
		case <-s.done:
			return true
		case <-time.After(step):
		}
		if s.CPU()-before > idle {
			calm = 0
		} else if calm++; calm == times {
			return true
		}
	}
	return false
}

// Log keeps the end of what is written to it, and counts lines. Any goroutine may use
// it.
type Log struct {
	mu    sync.Mutex
	b     []byte
	lines int
}

const maxLog = 2000 // bytes

// Write keeps what the server says. It implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines += strings.Count(string(p), "\n")
	l.b = append(l.b, p...)
	if excess := len(l.b) - maxLog; excess > 0 {
		l.b = l.b[excess:]
	}
	return len(p), nil
}

// Lines returns how many lines were written.
func (l *Log) Lines() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines
}

// String returns what was kept, on one line.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.ReplaceAll(strings.TrimSpace(string(l.b)), "\n", "; ")
}
