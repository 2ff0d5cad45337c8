package peertest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnreachable has what package managers said, when run without a network, with a wrong
// name or version, and with a registry that answers 503.
func TestUnreachable(t *testing.T) {
	for text, want := range map[string]bool{
		"npm error code ENOTFOUND\nnpm error network request to https://registry.example/bun failed":                                                                      true,
		"npm error code E503\nnpm error 503 Service Unavailable - GET https://registry.example/bun":                                                                       true,
		"WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3...>: [Errno -3] Temporary failure in name resolution')'": true,
		"ERROR: HTTP error 502 while getting https://example.org/a.whl":                                                                                                   true,
		"warning: spurious network error (3 tries remaining): [6] Couldn't resolve host name":                                                                             true,
		"error: failed to get `quinn`\n  failed to get successful HTTP response from `https://index.example/qu/in/quinn`, got 503":                                        true,
		"go: download go1.27.3: dial tcp: lookup proxy.example: no such host":                                                                                             true,
		"reading https://proxy.example/a/@v/list: 503 Service Unavailable":                                                                                                true,
		"npm error code ETARGET\nnpm error notarget No matching version found for bun@9.9.9.":                                                                             false,
		"npm error code E404\nnpm error 404 Not Found - GET https://registry.example/bunn":                                                                                false,
		"ERROR: Could not find a version that satisfies the requirement aioquic==99 (from versions: 0.5.0, 1.0.0)":                                                        false,
		"error[E0599]: no method named `open` found\n  --> src/client.rs:500:5":                                                                                           false,
		"go: download go1.99.0: toolchain not available":                                                                                                                  false,
		"": false,
	} {
		if got := unreachable.MatchString(text); got != want {
			t.Errorf("%v: %s", got, text)
		}
	}
}

// fails returns a kit that cannot be installed: each try says so, and counts.
func fails(says string, tries *int) *Kit {
	return &Kit{Name: "none-1", Commands: func(ctx context.Context, _ string) []*exec.Cmd {
		*tries++
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestSays$")
		cmd.Env = append(os.Environ(), "GODWIT_TEST_SAYS="+says)
		return []*exec.Cmd{cmd}
	}}
}

// TestSays is a program that fails.
func TestSays(t *testing.T) {
	if says := os.Getenv("GODWIT_TEST_SAYS"); says != "" {
		t.Fatal(says)
	}
}

func cacheIn(t *testing.T, dir string) {
	t.Helper()
	t.Setenv("XDG_CACHE_HOME", dir) // Linux
	t.Setenv("HOME", dir)           // macOS
	t.Setenv("LocalAppData", dir)   // Windows
	pause := installPause
	installPause = 0
	t.Cleanup(func() { installPause = pause })
}

func TestKitFails(t *testing.T) {
	cacheIn(t, t.TempDir())
	for says, isDown := range map[string]bool{"connect ECONNREFUSED 127.0.0.1:443": true, "no such package": false} {
		tries := 0
		_, err := fails(says, &tries).install(t.Context())
		var down *registryDownError
		if tries != installTries || err == nil || errors.As(err, &down) != isDown || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %d tries, then %v", says, tries, err)
		}
	}
}

// TestKitIsKept: what was installed is not installed again, what was not quite is.
func TestKitIsKept(t *testing.T) {
	cacheIn(t, t.TempDir())
	made := 0
	kit := func() *Kit {
		return &Kit{Name: "some-1", Commands: func(_ context.Context, dir string) []*exec.Cmd {
			made++
			if made == 1 {
				return []*exec.Cmd{exec.Command(filepath.Join(dir, "not there"))}
			}
			return nil
		}}
	}
	for range 2 {
		if dir := kit().Dir(t); filepath.Base(dir) != "some-1" {
			t.Error(dir)
		}
	}
	if made != 2 {
		t.Errorf("tried %d times, want 2", made)
	}
}
