package pack

import "strings"

// Platform is what one of the packages with the addon is for.
type Platform struct {
	// Name is that of the package, behind @godwit/: npm's names of the system and the
	// processor, and which C library.
	Name string
	// GOOS and GOARCH are Go's names of them.
	GOOS, GOARCH string
	// Target is zig's. It names the oldest release of the system that is served.
	Target string
	// Apart says that the engine is a process of its own, as the C library cannot load Go.
	Apart bool
}

// glibc is the oldest release of the GNU C library that has to do, that of Debian 10 and
// Red Hat Enterprise Linux 8, which Node 20 wants as well.
const glibc = "2.28"

// Platforms are all that the addon is built for.
var Platforms = []Platform{
	{"linux-x64-gnu", "linux", "amd64", "x86_64-linux-gnu." + glibc, false},
	{"linux-arm64-gnu", "linux", "arm64", "aarch64-linux-gnu." + glibc, false},
	{"linux-x64-musl", "linux", "amd64", "x86_64-linux-musl", true},
	{"linux-arm64-musl", "linux", "arm64", "aarch64-linux-musl", true},
	{"darwin-arm64", "darwin", "arm64", "aarch64-macos.12.0", false},
	{"darwin-x64", "darwin", "amd64", "x86_64-macos.12.0", false},
}

// manifest returns the package.json of the platform's package, but for what all of them share.
func (p Platform) manifest() manifest {
	parts := strings.Split(p.Name, "-")
	m := manifest{
		Name: "@godwit/" + p.Name, Description: "The engine of the package godwit for " + p.Name,
		OS: parts[:1], CPU: parts[1:2], Main: addonName, Files: []string{addonName, noticesName},
	}
	if p.Apart {
		m.Files = append(m.Files, hostName)
	}
	if len(parts) > 2 {
		m.Libc = []string{map[string]string{"gnu": "glibc", "musl": "musl"}[parts[2]]}
	}
	return m
}
