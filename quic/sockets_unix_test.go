//go:build unix

package quic

import (
	"net"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// reusePort lets sockets share a port.
func reusePort(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}

// TestSocketsUnix: QUIC over Unix sockets, whose addresses are paths.
func TestSocketsUnix(t *testing.T) {
	leak.Check(t)
	dir := t.TempDir()
	listen := func(name string) net.PacketConn {
		c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, name), Net: "unixgram"})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	e := newSocketEnv(t, onSockets(listen("server")), onSockets(listen("client")))
	defer e.closeAll()
	e.transfer(peertest.Content(1 << 20))
	client, server := e.pair()
	for _, tt := range []struct {
		got  net.Addr
		want string
	}{
		{e.listener.Addr(), "server"}, {e.transport.LocalAddr(), "client"},
		{client.LocalAddr(), "client"}, {client.RemoteAddr(), "server"},
		{server.LocalAddr(), "server"}, {server.RemoteAddr(), "client"},
	} {
		if a, ok := tt.got.(*net.UnixAddr); !ok || a.Name != filepath.Join(dir, tt.want) {
			t.Errorf("%v, want %s", tt.got, tt.want)
		}
	}
	noName := e.clientTLS.Clone()
	noName.ServerName = ""
	if _, err := e.transport.Dial(e.ctx, e.listener.Addr().String(), noName, nil); err == nil || !strings.Contains(err.Error(), "ServerName") {
		t.Errorf("%v, want to be told that a ServerName is missing", err)
	}
}
