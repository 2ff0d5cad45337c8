package interop

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// pythonPackages are the releases tested: aioquic, and libcurl with HTTP/3 by
// ngtcp2, which curl_cffi carries in its wheel.
var pythonPackages = []string{"aioquic==1.7.2", "curl_cffi==0.16.3"}

// pythonKit is an environment of the packages' own.
var pythonKit = &peertest.Kit{
	Name: "python-" + strings.ReplaceAll(strings.Join(pythonPackages, "-"), "==", "-"),
	Commands: func(ctx context.Context, dir string) []*exec.Cmd {
		pip := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"}, pythonPackages...)
		return []*exec.Cmd{
			exec.CommandContext(ctx, "python3", "-m", "venv", "--clear", dir),
			exec.CommandContext(ctx, pythonIn(dir), pip...),
		}
	},
}

func pythonIn(dir string) string { return filepath.Join(dir, "bin", "python") }

// python is the path of a Python that has the packages.
type python string

// needPython returns it, installing the packages on first use; so it comes before anything
// with a time limit.
func needPython(t *testing.T) python {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import venv, ensurepip").CombinedOutput(); err != nil {
		peertest.LeaveOut(t, "python3", fmt.Sprintf("apt-get install python3-venv (%v %s)", err, out))
	}
	return python(pythonIn(pythonKit.Dir(t)))
}

// run starts a script, and returns what it printed first.
func (p python) run(t *testing.T, ctx context.Context, script string, args ...string) string {
	t.Helper()
	return runScript(t, ctx, string(p), append([]string{script}, args...)...)
}
