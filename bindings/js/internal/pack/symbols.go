package pack

import (
	"debug/elf"
	"debug/macho"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// checkSymbols returns an error if an addon wants a later C library than it may, or cannot
// be loaded as it is not signed, which a Mac with Apple's processors insists on.
func checkSymbols(name string) error {
	if f, err := macho.Open(name); err == nil {
		defer f.Close()
		return checkSignature(f)
	}
	latest, err := Glibc(name)
	if err != nil {
		return err
	}
	if Later(latest, glibc) {
		return fmt.Errorf("%s wants glibc %s, later than %s", name, latest, glibc)
	}
	return nil
}

// Glibc returns the latest release of the GNU C library whose symbols a file wants.
func Glibc(name string) (string, error) {
	f, err := elf.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		return "", err
	}
	latest := "0"
	for _, library := range needs {
		for _, need := range library.Needs {
			version, found := strings.CutPrefix(need.Dep, "GLIBC_")
			if found && Later(version, latest) {
				latest = version
			}
		}
	}
	return latest, nil
}

// Later reports whether a version, numbers with points between them, is later than another.
func Later(a, b string) bool {
	for a != "" || b != "" {
		var x, y string
		x, a, _ = strings.Cut(a, ".")
		y, b, _ = strings.Cut(b, ".")
		m, _ := strconv.Atoi(x) // 0 for what is no number, such as PRIVATE
		n, _ := strconv.Atoi(y)
		if m != n {
			return m > n
		}
	}
	return false
}

// codeSignature is LC_CODE_SIGNATURE of Mach-O.
const codeSignature = 0x1d

func checkSignature(f *macho.File) error {
	if f.Cpu != macho.CpuArm64 {
		return nil
	}
	for _, load := range f.Loads {
		if raw := load.Raw(); len(raw) >= 4 && f.ByteOrder.Uint32(raw) == codeSignature {
			return nil
		}
	}
	return errors.New("no signature")
}
