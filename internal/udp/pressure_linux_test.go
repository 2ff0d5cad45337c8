package udp

import (
	"net/netip"
	"testing"
)

// What is not read is told of, and what was lost as there was no more room.
func TestPressure(t *testing.T) {
	receiver, err := Listen("127.0.0.1:0", Config{ReadBuffer: 1 << 16})
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	sender, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	if queued, lost, ok := receiver.Pressure(); !ok || queued != 0 || lost != 0 {
		t.Fatalf("%d bytes wait, %d messages are lost at first, known %v", queued, lost, ok)
	}
	const size, n = 1200, 1000
	for range n {
		if err := sender.Send(make([]byte, size), size, receiver.LocalAddr(), netip.Addr{}, 0); err != nil {
			t.Fatal(err)
		}
	}
	queued, lost, _ := receiver.Pressure()
	if queued < 10*size || lost == 0 || lost >= n {
		t.Errorf("%d bytes wait, and of %d messages %d are lost", queued, n, lost)
	}
}
