package profiling

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	p := Files{CPU: filepath.Join(dir, "cpu"), Memory: filepath.Join(dir, "memory")}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if err := (&Files{CPU: filepath.Join(dir, "second")}).Start(); err == nil {
		t.Error("two CPU profiles at once")
	}
	if err := p.Stop(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{p.CPU, p.Memory} {
		if info, err := os.Stat(name); err != nil || info.Size() == 0 {
			t.Errorf("%s is empty, or %v", name, err)
		}
	}
	var none Files
	if err := none.Start(); err != nil {
		t.Error(err)
	}
	if err := none.Stop(); err != nil {
		t.Error(err)
	}
	for _, bad := range []*Files{{CPU: filepath.Join(dir, "no", "cpu")}, {Memory: filepath.Join(dir, "no", "memory")}} {
		start := bad.Start()
		if stop := bad.Stop(); start == nil && stop == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
