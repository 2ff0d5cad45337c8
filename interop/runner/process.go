package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// process is an endpoint that runs.
type process struct {
	cmd    *exec.Cmd
	ended  chan struct{}
	output output
}

// output keeps the end of what a process says.
type output struct {
	mu   sync.Mutex
	text []byte
}

// maxOutput is how much of it is kept, in bytes.
const maxOutput = 64 << 10

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text = append(o.text, b...)
	o.text = o.text[max(0, len(o.text)-maxOutput):]
	return len(b), nil
}

// lastLine returns the last line that has something in it.
func (o *output) lastLine() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(o.text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// grace is how long a process may take to end when it is told to.
const grace = 3 * time.Second

// start starts an endpoint, which ends with ctx.
func start(ctx context.Context, command []string, env map[string]string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, command[0], command[1:]...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.output, &p.output
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, value := range env {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = grace
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // status is asked for
		close(p.ended)
	}()
	return p, nil
}

// status returns the exit status of a process that has ended, -1 if a signal has ended it.
func (p *process) status() int { return p.cmd.ProcessState.ExitCode() }

// freePort returns an address of the loopback interface at which nobody listens.
func freePort(ip netip.Addr) (netip.AddrPort, error) {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		return netip.AddrPort{}, err
	}
	return c.LocalAddr().(*net.UDPAddr).AddrPort(), c.Close()
}

const (
	// startPatience is how long a server may take to listen.
	startPatience = 20 * time.Second
	startPoll     = 10 * time.Millisecond
)

var errEnded = errors.New("ended before it listened")

// awaitListening waits until somebody has a port of UDP, as the kernel says, or the
// process ends: whatever is sent to find out would be part of the case.
func (p *process) awaitListening(ctx context.Context, port uint16) error {
	deadline := time.Now().Add(startPatience)
	for {
		select {
		case <-p.ended:
			return errEnded
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(startPoll):
		}
		if listening(port) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("nobody listens after %v", startPatience)
		}
	}
}

// listening reports whether there is a UDP socket at a port.
func listening(port uint16) bool {
	at := []byte(fmt.Sprintf(":%04X ", port))
	for _, name := range []string{"udp", "udp6"} {
		table, err := os.ReadFile(filepath.Join("/proc/net", name))
		if err != nil {
			continue
		}
		for line := range bytes.Lines(table) {
			// "  sl  local_address rem_address ..."
			if fields := bytes.Fields(line); len(fields) > 1 && bytes.HasSuffix(append(fields[1], ' '), at) {
				return true
			}
		}
	}
	return false
}
