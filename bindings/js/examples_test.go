package js

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/test/jspeer"
)

// TestExamples runs each example as a person would, in several processes.
func TestExamples(t *testing.T) {
	dir := project(t)
	if err := os.CopyFS(dir, os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GODWIT_ADDON", jspeer.Addon(t))
	for _, r := range jspeer.Runtimes {
		if r.Name == "Node20" || r.Name == "Node22" || r.Name == "Node26" || r.Name == "Bun1.3" {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			run := r.Command(t)
			start := func(t *testing.T, args ...string) *process {
				return startProcess(t, dir, append(run[:len(run):len(run)], args...))
			}
			t.Run("chat", func(t *testing.T) { testChat(t, start) })
			t.Run("game", func(t *testing.T) { testGame(t, start) })
			t.Run("upload", func(t *testing.T) { testUpload(t, start) })
		})
	}
}

type starter func(t *testing.T, args ...string) *process

func testChat(t *testing.T, start starter) {
	server := start(t, "chat.mjs", "serve")
	address := server.line()
	ann := start(t, "chat.mjs", address, "ann")
	ann.wants("ann has come")
	bob := start(t, "chat.mjs", address, "bob")
	bob.wants("bob has come")
	ann.wants("bob has come")
	ann.types("hello, bob")
	for _, p := range []*process{ann, bob} {
		p.wants("ann: hello, bob")
	}
	ann.ends()
	bob.wants("ann has left")
	bob.ends()
	server.stops()
}

func testGame(t *testing.T, start starter) {
	server := start(t, "game.mjs", "serve")
	address := server.line()
	players := []*process{start(t, "game.mjs", address, "2"), start(t, "game.mjs", address, "2")}
	for _, p := range players {
		p.wants("2 players, and they move")
	}
	for _, p := range players {
		_ = p.in.Close()
		p.wants("over")
		p.ends()
	}
	server.stops()
}

func testUpload(t *testing.T, start starter) {
	content := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
	from, to := filepath.Join(t.TempDir(), "some file"), t.TempDir()
	if err := os.WriteFile(from, content, 0o644); err != nil {
		t.Fatal(err)
	}
	server := start(t, "upload.mjs", "serve", to)
	address := server.line()
	client := start(t, "upload.mjs", address, from)
	if first := client.line(); !strings.HasSuffix(first, " %") || first == "100 %" {
		t.Errorf("the progress begins with %q", first)
	}
	client.wants("100 %")
	client.wants(fmt.Sprintf("sha256 %x", sha256.Sum256(content)))
	client.ends()
	if stored, err := os.ReadFile(filepath.Join(to, "some file")); err != nil || !bytes.Equal(stored, content) {
		t.Errorf("%d bytes are stored, %v", len(stored), err)
	}
	server.stops()
}

// process is a program that is talked to by lines.
type process struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	said bytes.Buffer
}

// startProcess starts a program, which has two minutes.
func startProcess(t *testing.T, dir string, args []string) *process {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	p := &process{t: t, cmd: exec.CommandContext(ctx, args[0], args[1:]...)}
	p.cmd.Dir = dir
	p.cmd.Stderr = &p.said
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // if it is still there
		_ = p.cmd.Wait()
	})
	return p
}

// line returns the next line that it prints.
func (p *process) line() string {
	p.t.Helper()
	if !p.out.Scan() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.t.Fatalf("%v has ended\n%s", p.cmd, p.said.String())
	}
	return p.out.Text()
}

// wants reads on until there is a line.
func (p *process) wants(line string) {
	p.t.Helper()
	for p.line() != line {
	}
}

func (p *process) types(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Error(err)
	}
}

// ends ends its input, and waits for its end, which has to be a good one.
func (p *process) ends() {
	p.t.Helper()
	_ = p.in.Close()
	for p.out.Scan() {
	}
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("%v: %v\n%s", p.cmd, err, p.said.String())
	}
}

// stops asks it to end.
func (p *process) stops() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	p.ends()
}
