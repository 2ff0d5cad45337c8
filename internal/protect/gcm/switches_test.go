//go:build amd64 && !purego

package gcm

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asked makes TestSays say what is available.
const asked = "GCM_TEST_ASKED"

// TestSays is a program that says what is available.
func TestSays(t *testing.T) {
	if os.Getenv(asked) != "" {
		fmt.Printf("available %v, wide %v\n", Available(), wide)
	}
}

// TestSwitches starts the program again, with what keeps it from using the package.
func TestSwitches(t *testing.T) {
	need(t)
	for debug, want := range map[string]string{
		"cpu.avx2=off":      "available false, wide false",
		"cpu.aes=off":       "available false, wide false",
		"cpu.pclmulqdq=off": "available false, wide false",
		"cpu.all=off":       "available false, wide false",
		"fips140=on":        "available false, wide false",
		"cpu.avx512f=off":   "available true, wide false",
		"":                  fmt.Sprintf("available true, wide %v", wide),
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSays$")
		cmd.Env = append(os.Environ(), asked+"=yes", "GODEBUG="+debug)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), want+"\n") {
			t.Errorf("GODEBUG=%s: %v, want %q:\n%s", debug, err, want, out)
		}
	}
}
