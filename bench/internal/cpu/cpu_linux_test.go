package cpu

import (
	"os"
	"testing"
	"time"
)

func TestTime(t *testing.T) {
	before, err := Time(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for start := time.Now(); time.Since(start) < time.Millisecond; {
		sum++
	}
	after, err := Time(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("%v before and %v after %d steps: %v", before, after, sum, err)
	}
	// Linux numbers processes up to 1<<22.
	if _, err := Time(1<<22 + 1); err == nil {
		t.Error("no error for a process that does not exist")
	}
}

func TestResident(t *testing.T) {
	n, err := Resident(os.Getpid())
	if err != nil || n < 1<<20 {
		t.Errorf("%d bytes are resident, %v", n, err)
	}
	if _, err := Resident(1<<22 + 1); err == nil {
		t.Error("no error for a process that does not exist")
	}
}
