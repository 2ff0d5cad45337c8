package attack

import (
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/test/leak"
	"github.com/godwit-quic/godwit/internal/test/peertest"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// patience is how long a test waits for what comes at once.
const patience = 10 * time.Second

// serve starts a server in this process.
func serve(t *testing.T) netip.AddrPort {
	t.Helper()
	leak.Check(t)
	conf, _ := peertest.TLS(t)
	srv := &http3.Server{TLSConfig: conf, Logger: slog.New(slog.DiscardHandler), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("hello " + r.URL.Path))
	})}
	transport, err := quic.NewTransport("127.0.0.1:0", nil) // whose end does not wait for handshakes
	if err != nil {
		t.Fatal(err)
	}
	ln, err := srv.ListenOn(transport)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	t.Cleanup(func() {
		_ = srv.Close()
		<-served
		_ = transport.Close()
	})
	return ln.Addr().(*net.UDPAddr).AddrPort()
}

// row runs an attack that is given as a function.
func row(t *testing.T, server netip.AddrPort, attack func(a *attacker) error) Report {
	t.Helper()
	r := Row{Name: t.Name(), run: attack}
	report, err := r.Run(Target{Server: server, Duration: patience})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// TestRequest has the raw client complete a handshake and send a request.
func TestRequest(t *testing.T) {
	server := serve(t)
	report := row(t, server, func(a *attacker) error {
		c, err := a.dial(dialing{})
		if err != nil {
			return err
		}
		a.begun()
		var answer []byte
		over := false
		c.onStream = func(f *wire.Stream) {
			if f.ID == 0 {
				answer = append(answer, f.Data...)
				over = over || f.Fin
			}
		}
		c.get("/there")
		for !over && !a.over() {
			a.poll(time.Second)
		}
		if got := string(answer); !over || !strings.HasSuffix(got, "hello /there") {
			t.Errorf("the answer is %q", got)
		}
		c.close()
		return nil
	})
	if report.Packets == 0 || report.Bytes == 0 || report.PacketsBack == 0 || report.Handshakes != 0 || report.Streams != 1 {
		t.Errorf("the report is %+v", report)
	}
}

// TestReliable has the raw client send more than its window of packets, of which
// every tenth is lost, to a server that must get all of it to answer.
func TestReliable(t *testing.T) {
	server := serve(t)
	row(t, server, func(a *attacker) error {
		c, err := a.dial(dialing{})
		if err != nil {
			return err
		}
		c.window = 16
		s, _ := c.open(false)
		s.write(postRequest("/"), false)
		content := make([]byte, 100)
		for i := range 200 {
			if i%10 == 0 {
				c.spaces[wire.AppSpace].next++ // as if one had been lost
				c.unacked = append(c.unacked, sentPacket{c.spaces[wire.AppSpace].next - 1, time.Now(), s.append(nil, frame(h3.FrameData, content), false)})
			}
			s.write(frame(h3.FrameData, content), false)
		}
		s.write(nil, true)
		for len(c.unacked) > 0 && c.alive() && !a.over() {
			a.poll(10 * time.Millisecond)
		}
		if len(c.unacked) > 0 || !c.alive() {
			t.Errorf("%d packets did not arrive: %s", len(c.unacked), c.closeText())
		}
		return nil
	})
}

// TestQuickRows runs attacks that end by themselves against a server in this
// process.
func TestQuickRows(t *testing.T) {
	server := serve(t)
	for _, r := range Rows() {
		switch r.Name {
		case "illegal-frames", "ack-optimistic", "crypto-fragments":
			report, err := r.Run(Target{Server: server, Duration: patience})
			if err != nil || len(report.Broken) > 0 {
				t.Errorf("%s: %v, broken: %q", r.Name, err, report.Broken)
			}
			t.Logf("%s: %s", r.Name, report.Note)
		}
	}
}

// TestAmplification measures how much a server, and one that sends too much, send
// to an address that they have not validated.
func TestAmplification(t *testing.T) {
	const short = 300 * time.Millisecond
	r := Row{Name: "amplification", run: amplification}
	report, err := r.Run(Target{Server: serve(t), Duration: short})
	if err != nil || len(report.Broken) > 0 {
		t.Errorf("%v, broken: %q", err, report.Broken)
	}
	t.Log(report.Note)

	eager, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2048)
		for {
			n, from, err := eager.ReadFromUDP(b)
			if err != nil {
				return
			}
			for range 4 {
				_, _ = eager.WriteToUDP(b[:n], from)
			}
		}
	}()
	report, err = r.Run(Target{Server: eager.LocalAddr().(*net.UDPAddr).AddrPort(), Duration: short})
	if err != nil || len(report.Broken) == 0 {
		t.Errorf("four times as much was sent and not found: %v", err)
	}
	_ = eager.Close()
	<-done
}

// TestNoServer: an attack on nobody did not take place.
func TestNoServer(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := Row{run: optimistic}
	if _, err := r.Run(Target{Server: conn.LocalAddr().(*net.UDPAddr).AddrPort(), Duration: patience}); err == nil {
		t.Error("no error")
	}
}

// TestHello: the hello fits into one packet, which the floods rely on.
func TestHello(t *testing.T) {
	a := &attacker{rand: newRand()}
	k, err := a.newKnocker()
	if err != nil {
		t.Fatal(err)
	}
	id := a.randomID()
	if n := len(k.initial(&id, nil, nil)); n != wire.MinUDPPayloadSize {
		t.Errorf("an Initial packet has %d bytes", n)
	}
}

// TestAllowance: more is worth more.
func TestAllowance(t *testing.T) {
	var none Report
	for _, r := range []Report{{Packets: 1}, {Handshakes: 1}, {Streams: 1}, {Fields: 1}} {
		if r.Allowance(0) <= none.Allowance(0) {
			t.Errorf("%+v is worth nothing", r)
		}
	}
}
