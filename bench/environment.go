package main

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// environment is what results depend on besides the programs.
type environment struct {
	machine  string
	versions []string
	settings []string
	missing  []string
}

func (e environment) lines() []string {
	lines := []string{e.machine, "Versions: " + strings.Join(e.versions, ", ") + "."}
	return slices.Concat(lines, e.settings, e.missing)
}

// equalTerms are what was set for all alike, and where that could not be done.
var equalTerms = []string{
	"Everything is on one machine, over its loopback interface; client and server share its cores and are not bound to any.",
	"All servers have the same ECDSA P-256 certificate. The client prefers AES-128-GCM, which all of them agree to; over HTTP it offers no key exchange but X25519.",
	"Flow control windows are 16 MiB on both sides where they can be set: Bun's cannot. HTTP servers allow 256 requests at a time on a connection, and 5 minutes of idleness; Bun its default and 255 seconds.",
	"Everything else is each implementation's default; quiche, which comes without a socket, gets segmented sends (UDP_SEGMENT) and no pacing, and quinn the ring library for cryptography.",
	"The client is Godwit's: `godwit perf run` for the QUIC performance protocol, a program on its event interface for HTTP/3, and net/http over TCP. Its CPU time is shown; where it is well below a core, the client was not what limits.",
	"CPU time is the process's in user mode and in the kernel, from the scheduler, during the measurement only.",
	"Memory is the growth of resident memory (RSS) as it stands, without asking any server to collect garbage.",
}

// describe finds out about the machine and the versions.
func describe(p *programs, b *bench) environment {
	e := environment{
		machine: fmt.Sprintf("Machine: %d cores (%s), %s, %s.",
			runtime.NumCPU(), processor(), output("uname", "-sr"), runtime.GOARCH),
		settings: append([]string{b.amount()}, equalTerms...),
	}
	e.versions = append(e.versions, "Godwit "+output("git", "rev-parse", "--short", "HEAD"), runtime.Version())
	for _, m := range []string{"github.com/quic-go/quic-go", "golang.org/x/net"} {
		e.versions = append(e.versions, output("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", m))
	}
	e.versions = append(e.versions, "Bun "+bunVersion, locked("quinn"), locked("quiche"))
	for family, why := range p.missing {
		e.missing = append(e.missing, fmt.Sprintf("Without %s, which could not be built: %s", family, why))
	}
	slices.Sort(e.missing)
	return e
}

// amount says how much was measured.
func (b *bench) amount() string {
	often, once := b.roundsOf(&workload{}), b.roundsOf(&workload{once: true})
	s := fmt.Sprintf("Rounds: %d, of %v for each server", often, b.duration())
	if once != often {
		s += fmt.Sprintf("; %d where no spread is given", once)
	}
	return s + ". Connecting many clients and loss take longer."
}

// output returns what a program prints, or "unknown".
func output(name string, args ...string) string {
	out, err := exec.Command(name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// processor returns the name of the processor.
func processor() string {
	data, _ := os.ReadFile("/proc/cpuinfo")
	if m := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(data); m != nil {
		return string(m[1])
	}
	return "unknown processor"
}

// locked returns the version of a crate.
func locked(crate string) string {
	data, _ := os.ReadFile("rust/Cargo.lock")
	if m := regexp.MustCompile(`name = "` + crate + `"\nversion = "(.*)"`).FindSubmatch(data); m != nil {
		return crate + " " + string(m[1])
	}
	return crate + " of an unknown version"
}
