package quic

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestQlogClose: the log of the side that closes ends with the packet that says
// so, and both logs with the end of the connection, even if the transports are
// closed long before a closing or draining period is over.
func TestQlogClose(t *testing.T) {
	dir := t.TempDir()
	e := newEnv(t, &Config{QlogDir: dir}, &Config{QlogDir: dir})
	e.serveEcho()
	c := e.dial()
	if err := c.CloseWithError(7, "bye"); err != nil {
		t.Fatal(err)
	}
	e.transport.Close()
	e.listener.Transport().Close()

	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 2 {
		t.Fatalf("%d files, %v; want one of each side", len(files), err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, end, found := strings.Cut(string(data), "quic:connection_closed")
		if !found || !strings.Contains(end, "connection_state_updated") {
			t.Errorf("%s does not tell the end", filepath.Base(path))
		}
		if strings.HasSuffix(path, "_client.sqlog") && !strings.Contains(end, `"frame_type":"connection_close"`) {
			t.Errorf("%s ends without CONNECTION_CLOSE:%s", filepath.Base(path), end)
		}
	}
}
