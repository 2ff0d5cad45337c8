package child

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the CPU time that the server has used: utime and stime of proc(5) have
// too few digits, so this asks the process's clock, as clock_getcpuclockid(3) has it.
func (s *Server) CPU() time.Duration {
	const scheduled = 2 // the scheduler's count, in nanoseconds
	var ts unix.Timespec
	if unix.ClockGettime(int32(^s.cmd.Process.Pid<<3|scheduled), &ts) != nil {
		return 0 // it has ended, which is told elsewhere
	}
	return time.Duration(ts.Nano())
}

// Waited returns how long the server's threads were ready to run and had no processor,
// as other programs had it, or each other: the second number of proc(5)'s schedstat.
// Threads that have ended are not counted.
func (s *Server) Waited() (sum time.Duration) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", s.cmd.Process.Pid)) // the pattern is right
	for _, name := range tasks {
		data, _ := os.ReadFile(name) // the thread may have ended
		if fields := strings.Fields(string(data)); len(fields) > 1 {
			ns, _ := strconv.ParseInt(fields[1], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// Resident returns the server's memory now, in MB.
func (s *Server) Resident() int { return s.status("VmRSS:") * 1024 / 1_000_000 }

// Peak returns the most that the server's memory ever was, in MB.
func (s *Server) Peak() int { return s.status("VmHWM:") * 1024 / 1_000_000 }

// Threads returns how many threads the server has.
func (s *Server) Threads() int { return s.status("Threads:") }

// Descriptors returns how many files and sockets the server has open.
func (s *Server) Descriptors() int {
	open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid)) // it may have ended, which is told elsewhere
	return len(open)
}

// status returns the number of a line of /proc/pid/status, which counts memory in KiB.
func (s *Server) status(key string) int {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(data, []byte(key))
	fields := strings.Fields(string(rest))
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(fields[0])
	return n
}

// LoadAverage returns the machine's load of the last minute.
func LoadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(data), " ")
	return load
}

// Divide keeps this process and its other children off n processors, and returns
// those. It returns none when there are too few to divide.
func Divide(n int) ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, err
	}
	var all []int
	for cpu := range 1024 {
		if set.IsSet(cpu) {
			all = append(all, cpu)
		}
	}
	if n <= 0 || len(all) <= n {
		return nil, nil
	}
	ours := setOf(all[:len(all)-n])
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	for _, t := range threads {
		id, _ := strconv.Atoi(t.Name())
		_ = unix.SchedSetaffinity(id, &ours) // a thread may have ended
	}
	return all[len(all)-n:], nil
}

// withCPUs starts a process that runs on some processors only; on ours if there are
// none.
func withCPUs(cpus []int, start func() error) error {
	if len(cpus) == 0 {
		return start()
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var ours unix.CPUSet
	if err := unix.SchedGetaffinity(0, &ours); err != nil {
		return err
	}
	theirs := setOf(cpus)
	if err := unix.SchedSetaffinity(0, &theirs); err != nil {
		return err
	}
	err := start()
	if back := unix.SchedSetaffinity(0, &ours); err == nil {
		err = back
	}
	return err
}

func setOf(cpus []int) (set unix.CPUSet) {
	for _, c := range cpus {
		set.Set(c)
	}
	return set
}
