package main

import (
	"net"
	"strings"
	"testing"
)

// Where nobody listens, there is nothing to wait for.
func TestGetRefused(t *testing.T) {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := c.LocalAddr().String()
	c.Close()
	for _, tt := range []struct {
		args []string
		code int
	}{{[]string{"get", "-k", "--http3-only", "https://" + addr}, curlConnect}, {[]string{"wt", "-k", "https://" + addr}, exitFailure}} {
		r := godwit(t, "", tt.args...)
		if r.code != tt.code || r.stdout != "" || strings.Count(r.stderr, "\n") != 1 ||
			!strings.Contains(r.stderr, addr+": connect: connection refused (is a server listening on this UDP port?)") {
			t.Errorf("%q: %+v", tt.args, r)
		}
	}
}
