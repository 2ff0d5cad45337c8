package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/godwit-quic/godwit/internal/attack"
	"github.com/godwit-quic/godwit/internal/attack/child"
)

const (
	// maxMemory is what a server may use under any attack, in MB.
	maxMemory = 150
	// warmUp is how long honest clients have the server to themselves.
	warmUp = 500 * time.Millisecond
	// attackPatience is how long an attacker may take besides its time, and
	// quietPatience how long the server until it is quiet.
	attackPatience = 25 * time.Second
	quietPatience  = 20 * time.Second
)

// plan is what all rows share.
type plan struct {
	dir      string // for the server's binary
	server   string // the binary
	self     string // this binary, for attackers
	duration time.Duration
	theirs   []int // the server's processors, none for all
	load     string
}

// newPlan builds the server and divides the processors.
func newPlan(ctx context.Context, o *options) (*plan, error) {
	p := &plan{server: o.server, duration: o.duration, load: child.LoadAverage()}
	var err error
	if p.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "godwit-attack-"); err != nil {
		return nil, err
	}
	if p.server == "" {
		if p.server, err = child.Build(ctx, p.dir); err != nil {
			p.close()
			return nil, err
		}
	}
	if p.theirs, err = child.Divide(o.cpus); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *plan) close() { _ = os.RemoveAll(p.dir) }

// result is what became of a row.
type result struct {
	Name, Class, Does string
	Report            attack.Report
	Elapsed           time.Duration // from the attack's beginning until the server was quiet
	Before, Peak      int           // the server's memory in MB
	After             int
	CPU               time.Duration // the server's, in that time
	CPUPerPacket      time.Duration
	Waited            time.Duration // for a processor, in that time
	LogLines          int
	Old, New          latencies
	Failures          []string
}

func (r *result) failf(format string, args ...any) {
	r.Failures = append(r.Failures, fmt.Sprintf(format, args...))
}

// attack runs a row.
func (p *plan) attack(ctx context.Context, row *attack.Row) result {
	r := result{Name: row.Name, Class: row.Class, Does: row.Does}
	s, err := child.Start(ctx, p.server, child.Options{CPUs: p.theirs, LogUnread: row.LogUnread})
	if err != nil {
		r.failf("the server did not start: %v", err)
		return r
	}
	defer s.Stop()
	h := newHonest(s.Addr)
	defer h.close()
	h.start()
	if !sleep(ctx, warmUp) {
		return r
	}
	if n := h.failures(); n > 0 {
		r.failf("%d honest requests failed before the attack", n)
		return r
	}
	h.forget()
	r.Before = s.Resident()
	began, cpu, waited := time.Now(), s.CPU(), s.Waited()
	err = p.sendAttacker(ctx, row, s.Addr, &r.Report, func() { began, cpu = time.Now(), s.CPU() })
	if err != nil {
		r.failf("did not take place: %v", err)
	}
	if !s.Quiet(ctx, quietPatience) {
		r.failf("the server was still busy %v after the attack", quietPatience)
	}
	r.Elapsed = time.Since(began)
	r.CPU, r.Waited = s.CPU()-cpu, s.Waited()-waited
	r.Peak, r.After = s.Peak(), s.Resident()
	r.LogLines = s.Log.Lines()
	r.Old, r.New = h.end()
	p.judge(&r, s.Ended())
	return r
}

// excuse says that the machine was busy with something else, if it was, so that a
// failure may not be the server's: it fails all the same.
func (r *result) excuse() string {
	if r.Waited < r.Elapsed/10 {
		return ""
	}
	return fmt.Sprintf("; the server waited %.1f s for a processor, which something else had", r.Waited.Seconds())
}

// judge finds what failed.
func (p *plan) judge(r *result, ended error) {
	if r.Report.Packets > 0 {
		r.CPUPerPacket = r.CPU / time.Duration(r.Report.Packets)
	}
	if n := r.Old.Failed + r.New.Failed; n > 0 {
		r.failf("%d of %d honest requests failed (%s)%s", n, r.Old.All+r.New.All, r.Old.orElse(r.New), r.excuse())
	}
	if r.Peak >= maxMemory {
		r.failf("memory reached %d MB, %d is the limit", r.Peak, maxMemory)
	}
	if most := r.Report.Allowance(r.Elapsed); r.CPU > most {
		r.failf("%.2f s of CPU time, the attack is worth %.2f", r.CPU.Seconds(), most.Seconds())
	}
	r.Failures = append(r.Failures, r.Report.Broken...)
	if ended != nil {
		r.failf("%v", ended)
	}
}

// sendAttacker lets a process of its own attack, so that nothing of one row is left
// in the next.
func (p *plan) sendAttacker(ctx context.Context, row *attack.Row, addr string, report *attack.Report, begun func()) error {
	ctx, cancel := context.WithTimeout(ctx, p.duration*time.Duration(max(row.Times, 1))+attackPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.self, "-attacker", row.Name, "-addr", addr, "-time", p.duration.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(out)
	var end outcome
	for {
		line, err := lines.ReadBytes('\n')
		if string(line) == begunLine+"\n" {
			begun()
			continue
		}
		if len(line) > 0 && json.Unmarshal(line, &end) != nil {
			end.Error = fmt.Sprintf("the attacker said %q", line)
		}
		if err != nil {
			break
		}
	}
	_, _ = io.Copy(io.Discard, lines)
	err = cmd.Wait()
	*report = end.Report
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("the attacker had no end: %w", ctx.Err())
	case err != nil:
		return err
	case end.Error != "":
		return fmt.Errorf("%s", end.Error)
	}
	return nil
}

// sleep reports false when the context ends before d has passed.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
