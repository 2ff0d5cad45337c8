package udp

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
)

func TestListenErrors(t *testing.T) {
	taken := opener(Listen).open(t, "127.0.0.1:0", Config{})
	tests := []struct {
		name, addr, want string
	}{
		{"in use", taken.LocalAddr().String(), "choose another port"},
		{"not ours", "198.51.100.77:4433", "no interface of this machine"},
		{"no port", "127.0.0.1", "missing port"},
		{"bad port", "127.0.0.1:99999", "invalid port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Listen(tt.addr, Config{})
			if err == nil {
				s.Close()
				t.Fatal("no error")
			}
			for _, want := range []string{"udp: cannot listen on " + tt.addr, tt.want} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
		})
	}
}

func TestListenErrorWrapsItsCause(t *testing.T) {
	err := listenError("127.0.0.1:443", syscall.EACCES)
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "below 1024") {
		t.Errorf("error for a port without permission: %v", err)
	}
	err = listenError("127.0.0.1:443", errInUse)
	if !errors.Is(err, errInUse) {
		t.Errorf("error for a port in use: %v", err)
	}
}

func TestListenResolvesNames(t *testing.T) {
	s := opener(Listen).open(t, "localhost:0", Config{})
	if a := s.LocalAddr(); !a.Addr().IsLoopback() || a.Port() == 0 {
		t.Errorf("localhost:0 became %v", a)
	}
}
