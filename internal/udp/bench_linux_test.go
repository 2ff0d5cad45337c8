package udp

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// cpuSeconds returns the processor time that this process has used.
func cpuSeconds(b *testing.B) float64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// BenchmarkTrain sends trains of 44 x 1452 bytes, which is what the loop of a
// busy connection does, from one goroutine to another over loopback, with no
// more in flight than the receive buffer holds. It reports the processor time
// of both ends for each GiB received.
func BenchmarkTrain(b *testing.B) {
	for _, tt := range []struct {
		name string
		open opener
		cfg  Config
	}{
		{"offloads", Listen, Config{}},
		{"noGRO", Listen, Config{DisableGRO: true}},
		{"noGSO", Listen, Config{DisableGSO: true}},
		{"none", Listen, Config{DisableGSO: true, DisableGRO: true}},
		{"plain", openPlain, Config{}},
	} {
		b.Run(tt.name, func(b *testing.B) { benchmarkTrain(b, tt.open, tt.cfg) })
	}
}

// BenchmarkReceiveSlots tells what reading several slots a call is worth: one
// slot is recvmsg in all but name.
func BenchmarkReceiveSlots(b *testing.B) {
	for _, gro := range []bool{true, false} {
		for _, slots := range []int{1, 2, 8} {
			k := realKernel
			k.recvmmsg = func(fd uintptr, msgs []mmsghdr) (int, unix.Errno) {
				return recvmmsg(fd, msgs[:slots])
			}
			b.Run(fmt.Sprintf("GRO=%v/slots=%d", gro, slots), func(b *testing.B) {
				benchmarkTrain(b, openWith(k), Config{DisableGRO: !gro})
			})
		}
	}
}

func benchmarkTrain(b *testing.B, open opener, cfg Config) {
	const segment, count, window = 1452, 44, 16 // window in trains
	from, err := open("127.0.0.1:0", cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	to, err := open("127.0.0.1:0", cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	data := pattern(count * segment)
	credit := make(chan struct{}, window)
	done := make(chan uint64)
	timeouts := 0
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	start := cpuSeconds(b)
	b.ResetTimer()
	go func() { // the receiver gives a credit for each train's worth of bytes
		var got, credited uint64
		for credited < uint64(b.N) {
			// What was lost, if anything, is written off when nothing follows.
			msgs, err := to.Recv(time.Now().Add(100 * time.Millisecond))
			if err != nil {
				b.Error(err)
				break
			}
			if len(msgs) == 0 {
				timeouts++
				credited++
				<-credit
			}
			for i := range msgs {
				got += uint64(len(msgs[i].Data))
			}
			for got >= uint64(len(data))*(credited+1) {
				credited++
				<-credit
			}
		}
		done <- got
	}()
	for range b.N {
		credit <- struct{}{}
		if err := from.Send(data, segment, to.LocalAddr(), netip.Addr{}, 0); err != nil {
			b.Fatal(err)
		}
	}
	got := <-done
	b.StopTimer()
	b.ReportMetric((cpuSeconds(b)-start)/(float64(got)/(1<<30)), "cpu-s/GiB")
	b.ReportMetric(float64(timeouts), "timeouts")
	b.ReportMetric(100-100*float64(got)/float64(b.N*len(data)), "%lost")
}

// BenchmarkWake is the price of telling a busy owner that there is work.
func BenchmarkWake(b *testing.B) {
	s, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		s.Wake()
	}
}

// BenchmarkTryRecv is the price of looking when there is nothing.
func BenchmarkTryRecv(b *testing.B) {
	s, err := Listen("127.0.0.1:0", Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		if _, err := s.TryRecv(); err != nil {
			b.Fatal(err)
		}
	}
}
