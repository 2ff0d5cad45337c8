package main

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// inheritedBy runs the command as a service manager would, with files from descriptor 3 on.
func inheritedBy(files ...*os.File) *exec.Cmd {
	cmd := exec.Command("sh", "-c", `LISTEN_PID=$$ exec "$0" serve`, os.Args[0])
	cmd.Env = append(os.Environ(), "GODWIT_TEST_RUN_MAIN=1", "LISTEN_FDS="+string(rune('0'+len(files))))
	cmd.ExtraFiles = files
	return cmd
}

// TestServeInherited: sockets that a service manager has opened are served, TCP and UDP.
func TestServeInherited(t *testing.T) {
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	tcp, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	var files []*os.File
	for _, s := range []interface{ File() (*os.File, error) }{tcp, udp} {
		f, err := s.File()
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	cmd := inheritedBy(files...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	if lines.Scan(); lines.Text() != "serving https://"+udp.LocalAddr().String()+"/" {
		t.Errorf("the first line is %q", lines.Text())
	}
	if r := godwit(t, "", "get", "-k", "https://"+udp.LocalAddr().String()+"/hello"); r.code != exitOK {
		t.Errorf("%+v", r)
	}
	if c, err := net.Dial("tcp", tcp.Addr().String()); err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	for lines.Scan() {
		t.Log(lines.Text())
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestServeInheritedErrors: what cannot be listened on is said.
func TestServeInheritedErrors(t *testing.T) {
	plain, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	for want, files := range map[string][]*os.File{"descriptor 3": {plain}, "descriptor 4": {plain, plain}} {
		out, err := inheritedBy(files...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, %q, want %q", err, out, want)
		}
	}
}
