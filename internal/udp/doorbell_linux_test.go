package udp

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestDoorbell: it rings when armed and something can be read, and never otherwise.
func TestDoorbell(t *testing.T) {
	other, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(other)
	s := opener(Listen).open(t, "127.0.0.1:0", Config{Bell: other})
	b := s.backend.(*batch)
	onBell := func(f func(bell uintptr)) {
		t.Helper()
		if err := b.bell.raw.Control(f); err != nil {
			t.Fatal(err)
		}
	}
	arm := func() {
		t.Helper()
		onBell(func(bell uintptr) {
			if err := s.withDescriptor(func(fd uintptr) error { return b.bell.arm(bell, int(fd)) }); err != nil {
				t.Fatal(err)
			}
		})
	}
	answer := func(want bool) {
		t.Helper()
		onBell(func(bell uintptr) {
			if rang := b.bell.answer(bell); rang != want {
				t.Errorf("that the other descriptor has rung is %v, want %v", rang, want)
			}
		})
	}
	ring := func() {
		t.Helper()
		if _, err := unix.Write(other, []byte{1, 0, 0, 0, 0, 0, 0, 0}); err != nil {
			t.Fatal(err)
		}
	}
	wantRinging := func(want bool) {
		t.Helper()
		onBell(func(bell uintptr) {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(bell), Events: unix.POLLIN}}, 0)
			if err != nil || n == 1 != want {
				t.Errorf("%d descriptors are ready, %v; ringing should be %v", n, err, want)
			}
		})
	}
	arrive := func() {
		t.Helper()
		send(t, s, []byte("x"), 0, s.LocalAddr())
		var n int
		if err := s.control(func(fd uintptr) {
			n, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(time.Second.Milliseconds()))
		}); n != 1 || err != nil {
			t.Fatalf("nothing arrived: %v", err)
		}
	}
	readAll := func() {
		t.Helper()
		for {
			msgs, err := s.TryRecv()
			if err != nil {
				t.Fatal(err)
			}
			if len(msgs) == 0 {
				return
			}
		}
	}

	arrive()
	wantRinging(false) // not armed
	arm()
	wantRinging(true) // at once
	answer(false)
	wantRinging(false) // though something is there
	arrive()
	wantRinging(false)
	readAll()
	arm()
	wantRinging(false) // nothing is there
	answer(false)
	arrive()
	wantRinging(true) // an answer to a bell that has not rung leaves it armed
	onBell(b.disarm)
	wantRinging(false)
	arrive()
	wantRinging(false)

	ring() // needs no arming
	wantRinging(true)
	answer(true)
	wantRinging(false) // though nobody has read it
	ring()
	answer(true)
	readAll()
	arm()
	ring()
	answer(true)
	arrive()
	wantRinging(true) // it is armed still
	ring()
	answer(true)
	wantRinging(false) // both in one
	readAll()
	ring()
	if msgs, err := s.Recv(time.Time{}); len(msgs) != 0 || err != nil {
		t.Errorf("%d messages, %v", len(msgs), err)
	}
}
