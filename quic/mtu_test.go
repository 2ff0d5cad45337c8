package quic

import (
	"io"
	"runtime"
	"testing"

	"github.com/godwit-quic/godwit/internal/test/peertest"
)

// TestMaxUDPPayload: datagrams grow to what is configured where the way carries it, as
// the loopback interface does.
func TestMaxUDPPayload(t *testing.T) {
	if runtime.GOOS != "linux" {
		peertest.LeaveOut(t, "Linux, whose loopback interface takes datagrams of every size", "run it there")
	}
	for _, size := range []int{1200, 1452, 8952, maxUDPPayload} {
		conf := &Config{MaxUDPPayload: size, EnableDatagrams: true}
		e := newEnv(t, conf, conf)
		client, server := e.pair()
		cs, ss := e.streams(client, server)
		const header = 100 // more than packets and frames need
		buf := make([]byte, 200<<10)
		for range 50 { // round trips, each with data for larger packets
			if client.MaxDatagramSize() > size-header {
				break
			}
			if _, err := cs.Write(buf); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(ss, buf); err != nil {
				t.Fatal(err)
			}
			if _, err := ss.Write(buf[:1]); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(cs, buf[:1]); err != nil {
				t.Fatal(err)
			}
		}
		if n := client.MaxDatagramSize(); n <= size-header || n > size {
			t.Errorf("with UDP payloads of up to %d bytes datagrams may have %d", size, n)
		}
	}
}
