package interop

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// pythonKit has the releases tested: aioquic, and libcurl with HTTP/3 by ngtcp2, which
// curl_cffi carries in its wheel.
var pythonKit = peertest.PyPI("aioquic==1.7.2", "curl_cffi==0.16.3")

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
