//go:build linux

// Command host, installed as godwit-host, is the engine in a process of its own, where a C
// library cannot load Go: one process for each port of a process that has loaded lib/host.c,
// which starts it and ends it.
//
//	godwit-host port COMMANDS EVENTS THREADS SPIN
//
// has the port's memory at descriptor 4, behind a page of its owner's, and a socket at 3. It
// sends a byte 0 with the bells, or an errno if the port cannot be opened; then W when there
// are events, and R when there is a reply. It closes the port when nothing can be received.
//
//	godwit-host certificate
//
// writes a certificate for development and its key to descriptor 3.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/godwit-quic/godwit/bindings/port"
)

const (
	socket, memory = 3, 4
	ownersPage     = 4096
)

// host is the process that has begun this one.
type host struct{}

// Wake implements port.Host.
func (host) Wake() { say('W') }

// Replied implements port.Host.
func (host) Replied() { say('R') }

// say sends a word. The host reads all of them, of which there are few, as it is woken once
// until it has looked; if it is gone, the end of what is received says so as well.
func say(word byte) { _, _ = unix.Write(socket, []byte{word}) }

func main() {
	// The terminal's signals are for the whole group, and the host decides what becomes of it.
	signal.Ignore(os.Interrupt, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTSTP, syscall.SIGPIPE)
	err := errors.New("it is started by the package godwit")
	switch {
	case len(os.Args) == 6 && os.Args[1] == "port":
		err = serve(os.Args[2:])
	case len(os.Args) == 2 && os.Args[1] == "certificate":
		err = certificate()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "godwit-host:", err)
		os.Exit(1)
	}
}

func serve(args []string) error {
	var numbers [4]uint32
	for i, arg := range args {
		n, err := strconv.ParseUint(arg, 10, 32)
		if err != nil {
			return err
		}
		numbers[i] = uint32(n)
	}
	opened, err := open(numbers)
	if err != nil {
		number := syscall.EINVAL
		errors.As(err, &number)
		say(byte(number))
		return err
	}
	pump, lane := opened.Bells()
	if err := unix.Sendmsg(socket, []byte{0}, unix.UnixRights(pump, lane), nil, 0); err != nil {
		return err
	}
	for word := make([]byte, 1); ; {
		if n, err := unix.Read(socket, word); n == 0 || err != nil && err != unix.EINTR {
			break
		}
	}
	opened.Close()
	return nil
}

func open(numbers [4]uint32) (*port.Port, error) {
	if threads := int(numbers[2]); threads > 0 || os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(threads, 1))
	}
	conf := port.Config{Commands: numbers[0], Events: numbers[1], Spin: time.Duration(numbers[3]) * time.Microsecond}
	size, err := port.Size(conf.Commands, conf.Events)
	if err != nil {
		return nil, err
	}
	mem, err := unix.Mmap(memory, 0, ownersPage+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return port.New(mem[ownersPage:], conf, host{})
}

func certificate() error {
	text, err := port.DevelopmentCertificate()
	if err != nil {
		return err
	}
	_, err = os.NewFile(socket, "socket").Write(text)
	return err
}
