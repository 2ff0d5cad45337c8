package peertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	// installTries is how often an installation is tried.
	installTries = 3
	// installPatience bounds each try: building a peer in Rust takes two minutes of two cores.
	installPatience = 10 * time.Minute
)

// installPause is the time between tries; a registry that is busy answers later.
var installPause = 5 * time.Second

// Kit is software from a package registry that tests use. It is installed when it is first
// needed, into a folder of the user's cache, and kept for later runs.
type Kit struct {
	// Name is that of the folder, and says which versions are in it.
	Name string
	// Commands are what installs it into dir, which exists.
	Commands func(ctx context.Context, dir string) []*exec.Cmd
	// Renew is for what is built from sources here: the commands bring it up to date, and run
	// for each process that needs it.
	Renew bool

	once sync.Once
	dir  string
	err  error
}

// Dir returns the folder with the kit, after it was installed if need be. If that fails, so
// does the test; but if it is for want of an answer from the registry, the test is left out,
// in CI as well.
func (k *Kit) Dir(t testing.TB) string {
	t.Helper()
	dir, err := k.Install(t.Context())
	var down *registryDownError
	switch {
	case errors.As(err, &down):
		leaveOut(t, k.Name, "the registry is down, try again: "+down.Error())
	case err != nil:
		t.Fatal(err)
	}
	return dir
}

// Install returns the folder with the kit, after it was installed if need be, for what is
// no test.
func (k *Kit) Install(ctx context.Context) (string, error) {
	k.once.Do(func() { k.dir, k.err = k.install(ctx) })
	return k.dir, k.err
}

func (k *Kit) install(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "godwit-interop", k.Name)
	complete := filepath.Join(dir, "complete") // is written last
	if _, err := os.Stat(complete); err == nil && !k.Renew {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for try := 1; ; try++ {
		if err = k.tryInstall(ctx, dir); err == nil {
			return dir, os.WriteFile(complete, nil, 0o644)
		}
		if try == installTries {
			return "", fmt.Errorf("installing %s, tried %d times: %w", k.Name, try, err)
		}
		time.Sleep(installPause)
	}
}

func (k *Kit) tryInstall(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, installPatience)
	defer cancel()
	for _, cmd := range k.Commands(ctx, dir) {
		out, err := cmd.CombinedOutput()
		if err == nil {
			continue
		}
		err = fmt.Errorf("%v: %w\n%s", cmd, err, out)
		if unreachable.Match(out) || ctx.Err() != nil {
			return &registryDownError{err}
		}
		return err
	}
	return nil
}

// registryDownError says that a package registry did not answer.
type registryDownError struct{ err error }

func (e *registryDownError) Error() string { return e.err.Error() }

// unreachable finds what npm, pip, cargo, and Go say when a registry does not answer, or
// answers that it cannot: no route, no name, no time, or a status of 500 and more. That there
// is no such package, or that it may not be had, is another matter.
var unreachable = regexp.MustCompile(`(?i)` +
	`\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|E5\d\d)\b` +
	`|temporary failure in name resolution|could not resolve host|no such host|network is unreachable` +
	`|connection (refused|reset|timed out)|couldn't connect to server|could not connect to server` +
	`|timeout was reached|i/o timeout|tls handshake timeout|read timed out|timed out connecting` +
	`|(NewConnection|ConnectTimeout|ReadTimeout)Error|spurious network error` +
	`|\b(got|status|error|code|too many) 5\d\d\b|\b5\d\d (internal server error|bad gateway|service unavailable|gateway time-?out|server error)`)

// NPM returns the kit of one package of the npm registry, which will be in node_modules.
func NPM(pkg, version string) *Kit {
	return &Kit{Name: pkg + "-" + version, Commands: func(ctx context.Context, dir string) []*exec.Cmd {
		return []*exec.Cmd{exec.CommandContext(ctx, "npm", "install", "--no-audit", "--no-fund", "--prefix", dir, pkg+"@"+version)}
	}}
}

// PyPI returns the kit of packages of the Python package index, each with its version
// ("name==1.2.3"): an environment of their own, whose Python is bin/python.
func PyPI(packages ...string) *Kit {
	name := "python-" + strings.ReplaceAll(strings.Join(packages, "-"), "==", "-")
	return &Kit{Name: name, Commands: func(ctx context.Context, dir string) []*exec.Cmd {
		pip := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"}, packages...)
		return []*exec.Cmd{
			exec.CommandContext(ctx, "python3", "-m", "venv", "--clear", dir),
			exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), pip...),
		}
	}}
}
