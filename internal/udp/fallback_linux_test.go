package udp

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hasSegment reports whether a send asks for segmentation.
func hasSegment(msg *unix.Msghdr) bool {
	ctrl := unsafe.Slice(msg.Control, int(msg.Controllen))
	for len(ctrl) > 0 {
		h, _, rest, err := unix.ParseOneSocketControlMessage(ctrl)
		if err != nil {
			return false
		}
		if h.Level == unix.SOL_UDP && h.Type == unix.UDP_SEGMENT {
			return true
		}
		ctrl = rest
	}
	return false
}

// refuseSegments is a kernel that says it can segment and then answers errno.
func refuseSegments(errno unix.Errno) kernel {
	k := realKernel
	k.sendmsg = func(fd uintptr, msg *unix.Msghdr) unix.Errno {
		if hasSegment(msg) {
			return errno
		}
		return sendmsg(fd, msg)
	}
	return k
}

func TestSegmentationIsGivenUp(t *testing.T) {
	for _, errno := range []unix.Errno{unix.EIO, unix.EINVAL} {
		t.Run(errno.Error(), func(t *testing.T) {
			from := openWith(refuseSegments(errno)).open(t, "127.0.0.1:0", Config{})
			to := opener(Listen).open(t, "127.0.0.1:0", Config{})
			requireOffloads(t, from)
			data := pattern(10*1200 + 7)
			send(t, from, data, 1200, to.LocalAddr())
			wantTrain(t, collect(t, to, 11), data, 1200)
			st := from.Stats()
			if st.GSO {
				t.Error("GSO is in use after the kernel refused")
			}
			if st.SentDatagrams != 11 || st.SendCalls != 11 || st.SentBytes != uint64(len(data)) {
				t.Errorf("statistics: %+v", st)
			}
			send(t, from, data, 1200, to.LocalAddr())
			wantTrain(t, collect(t, to, 11), data, 1200)
		})
	}
}

// Older kernels answer a train with segments larger than the MTU with EINVAL, and
// only a single such datagram with EMSGSIZE. That is not the segmentation's fault.
func TestSegmentationIsKeptWhenSegmentsAreTooLarge(t *testing.T) {
	k := realKernel
	k.sendmsg = func(_ uintptr, msg *unix.Msghdr) unix.Errno {
		if msg.Controllen > 0 {
			return unix.EINVAL
		}
		return unix.EMSGSIZE
	}
	s := openWith(k).open(t, "127.0.0.1:0", Config{})
	requireOffloads(t, s)
	if err := s.Send(pattern(5000), 1500, s.LocalAddr(), netip.Addr{}, 0); err != ErrMessageSize {
		t.Errorf("Send = %v, want ErrMessageSize", err)
	}
	if !s.Stats().GSO {
		t.Error("GSO was given up")
	}
}

func TestKernelWithoutFacilities(t *testing.T) {
	k := realKernel
	absent := func(level, name int) bool {
		switch {
		case level == unix.SOL_UDP,
			level == unix.SOL_IP && (name == unix.IP_RECVTOS || name == unix.IP_PKTINFO):
			return true
		}
		return false
	}
	k.setOption = func(fd uintptr, level, name, value int) error {
		if absent(level, name) {
			return unix.ENOPROTOOPT
		}
		return realKernel.setOption(fd, level, name, value)
	}
	k.getOption = func(fd uintptr, level, name int) (int, error) {
		if absent(level, name) {
			return 0, unix.ENOPROTOOPT
		}
		return realKernel.getOption(fd, level, name)
	}
	from, to := openWith(k).open(t, "127.0.0.1:0", Config{}), openWith(k).open(t, "127.0.0.1:0", Config{})
	if st := from.Stats(); st.GSO || st.GRO || st.ECN {
		t.Errorf("in use, though absent: %+v", st)
	}
	data := pattern(40 * 1200)
	if err := from.Send(data, 1200, to.LocalAddr(), netip.Addr{}, 2); err != nil {
		t.Fatal(err)
	}
	got := collect(t, to, 40)
	wantTrain(t, got, data, 1200)
	if got[0].local.IsValid() || got[0].ifIndex != 0 || got[0].ecn != 0 {
		t.Errorf("told without packet info: %+v", got[0])
	}
}

func TestFragmentationMustBeAvoidable(t *testing.T) {
	k := realKernel
	k.setOption = func(fd uintptr, level, name, value int) error {
		if name == unix.IP_MTU_DISCOVER && level == unix.SOL_IP {
			return unix.ENOPROTOOPT
		}
		return realKernel.setOption(fd, level, name, value)
	}
	if s, err := openWith(k)("127.0.0.1:0", Config{}); err == nil {
		s.Close()
		t.Error("a socket that fragments was opened")
	}
}

func TestSendErrors(t *testing.T) {
	other := unix.ENOTSOCK
	tests := []struct {
		errno         unix.Errno
		want          error
		drops, errors uint64
	}{
		{unix.EAGAIN, nil, 3, 0},
		{unix.ENOBUFS, nil, 3, 0},
		{unix.ENOMEM, nil, 3, 0},
		{unix.ECONNREFUSED, nil, 0, 1},
		{unix.EPERM, nil, 0, 1},
		{unix.EMSGSIZE, ErrMessageSize, 0, 0},
		{unix.ENETUNREACH, ErrUnreachable, 0, 0},
		{unix.EHOSTUNREACH, ErrUnreachable, 0, 0},
		{unix.EINVAL, ErrUnreachable, 0, 0},
		{other, other, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.errno.Error(), func(t *testing.T) {
			k := realKernel
			k.sendmsg = func(uintptr, *unix.Msghdr) unix.Errno { return tt.errno }
			s := openWith(k).open(t, "127.0.0.1:0", Config{})
			requireOffloads(t, s)
			if err := s.Send(pattern(3000), 1000, s.LocalAddr(), netip.Addr{}, 0); !errors.Is(err, tt.want) {
				t.Errorf("Send = %v, want %v", err, tt.want)
			}
			if st := s.Stats(); st.SendDrops != tt.drops || st.SendErrors != tt.errors || st.SentDatagrams != 0 || !st.GSO {
				t.Errorf("statistics: %+v", st)
			}
		})
	}
}

// A full buffer that gets room in time costs nothing but the wait.
func TestSendWaitsForRoom(t *testing.T) {
	k := realKernel
	calls := 0
	k.sendmsg = func(fd uintptr, msg *unix.Msghdr) unix.Errno {
		switch calls++; calls {
		case 1:
			return unix.EAGAIN
		case 2:
			return unix.EINTR
		}
		return sendmsg(fd, msg)
	}
	s := openWith(k).open(t, "127.0.0.1:0", Config{})
	send(t, s, []byte("patient"), 0, s.LocalAddr())
	if got := collect(t, s, 1); string(got[0].data) != "patient" {
		t.Errorf("got %q", got[0].data)
	}
	if st := s.Stats(); st.SendDrops != 0 || st.SentDatagrams != 1 || calls != 3 {
		t.Errorf("%d calls, statistics: %+v", calls, st)
	}
}

func TestReceiveErrors(t *testing.T) {
	fail := unix.Errno(0)
	k := realKernel
	k.recvmmsg = func(fd uintptr, msgs []mmsghdr) (int, unix.Errno) {
		if fail == unix.EINTR {
			fail = 0
			return 0, unix.EINTR
		}
		if fail != 0 {
			return 0, fail
		}
		return recvmmsg(fd, msgs)
	}
	s := openWith(k).open(t, "127.0.0.1:0", Config{})
	// Errors of earlier sends end the call, which the owner's budget counts,
	// and are not passed on.
	for i, errno := range []unix.Errno{unix.ECONNREFUSED, unix.EHOSTUNREACH, unix.EMSGSIZE} {
		fail = errno
		if msgs, err := s.Recv(time.Time{}); len(msgs) > 0 || err != nil {
			t.Errorf("Recv after %v = %d messages, %v", errno, len(msgs), err)
		}
		if st := s.Stats(); st.ReceiveErrors != uint64(i+1) {
			t.Errorf("ReceiveErrors = %d, want %d", st.ReceiveErrors, i+1)
		}
	}
	var sysErr *os.SyscallError
	fail = unix.ENOTSOCK
	if _, err := s.Recv(time.Time{}); !errors.As(err, &sysErr) || sysErr.Err != unix.ENOTSOCK {
		t.Errorf("Recv = %v, want ENOTSOCK", err)
	}
	fail = unix.EINTR
	send(t, s, []byte("x"), 0, s.LocalAddr())
	collect(t, s, 1)
}

// The kernel grants at most its limit; the operator hears of it once.
func TestBufferWarning(t *testing.T) {
	limited := realKernel
	limited.setOption = func(fd uintptr, level, name, value int) error {
		if level == unix.SOL_SOCKET && (name == unix.SO_RCVBUFFORCE || name == unix.SO_SNDBUFFORCE) {
			return unix.EPERM
		}
		if level == unix.SOL_SOCKET && name == unix.SO_RCVBUF {
			value = min(value, 200_000) // net.core.rmem_max
		}
		return realKernel.setOption(fd, level, name, value)
	}
	tests := []struct {
		name string
		ask  int
		want []string
	}{
		{"enough", 100_000, nil},
		{"too little", 64 << 20, []string{"read_buffer=200000 ", "read_buffer_asked=67108864 ", "net.core.rmem_max=67108864"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			cfg := Config{ReadBuffer: tt.ask, WriteBuffer: 50_000, Logger: slog.New(slog.NewTextHandler(&out, nil))}
			s := openWith(limited).open(t, "127.0.0.1:0", cfg)
			wantLines := min(1, len(tt.want))
			if got := strings.Count(out.String(), "\n"); got != wantLines {
				t.Errorf("%d records, want %d: %s", got, wantLines, out.String())
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the record lacks %q: %s", want, out.String())
				}
			}
			if got, want := s.Stats().ReadBuffer, min(tt.ask, 200_000); tt.ask > 200_000 && got != want {
				t.Errorf("ReadBuffer = %d, want %d", got, want)
			}
		})
	}
}
