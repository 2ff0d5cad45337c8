package interop

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// pythonPackages are the releases tested: aioquic, and libcurl with HTTP/3 by
// ngtcp2, which curl_cffi carries in its wheel.
var pythonPackages = []string{"aioquic==1.7.2", "curl_cffi==0.16.3"}

// python returns the path of a Python that has the packages, installing them on
// first use, in an environment of their own.
var python = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	name := "python-" + strings.NewReplacer("==", "-").Replace(strings.Join(pythonPackages, "-"))
	dir := filepath.Join(cache, "godwit-interop", name)
	path, complete := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return path, nil
	}
	pip := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"}, pythonPackages...)
	for _, cmd := range []*exec.Cmd{exec.Command("python3", "-m", "venv", "--clear", dir), exec.Command(path, pip...)} {
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("installing %v: %w\n%s", pythonPackages, err, out)
		}
	}
	return path, os.WriteFile(complete, nil, 0o644)
})

// needPython returns the path of python. Only a machine without Python, or without
// what it makes environments with, may go without.
func needPython(t *testing.T) string {
	t.Helper()
	if out, err := exec.Command("python3", "-c", "import venv, ensurepip").CombinedOutput(); err != nil {
		t.Skipf("python3 with venv and pip is not installed (Debian: python3-venv): %v\n%s", err, out)
	}
	path, err := python()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// runPython starts a script, and returns what it printed first.
func runPython(t *testing.T, ctx context.Context, script string, args ...string) string {
	t.Helper()
	return runScript(t, ctx, needPython(t), append([]string{script}, args...)...)
}
