package quic

import (
	"testing"
	"time"
)

func TestEngineConfig(t *testing.T) {
	got := (&Config{MaxIncomingUniStreams: -1, MaxConnWindow: 32 << 20}).engineConfig()
	if got.MaxBidiStreams != 100 || got.MaxUniStreams != 0 {
		t.Errorf("streams %d and %d, want 100 and none", got.MaxBidiStreams, got.MaxUniStreams)
	}
	if got.HandshakeTimeout != 10*time.Second || got.MaxIdleTimeout != 30*time.Second || got.KeepAlive != 0 {
		t.Errorf("timeouts %v, %v, %v", got.HandshakeTimeout, got.MaxIdleTimeout, got.KeepAlive)
	}
	if got.MaxConnWindow != 32<<20 || got.InitialConnWindow != 768<<10 {
		t.Errorf("connection window %d to %d", got.InitialConnWindow, got.MaxConnWindow)
	}
	got = (&Config{MaxStreamWindow: 5000, MaxConnWindow: 6000}).engineConfig()
	if got.InitialStreamWindow != 5000 || got.InitialConnWindow != 6000 {
		t.Errorf("windows begin with %d and %d bytes, more than they may have", got.InitialStreamWindow, got.InitialConnWindow)
	}
}

// With small batches all bytes arrive too.
func TestBatches(t *testing.T) {
	conf := &TransportConfig{SendBatch: 3, ReceiveBatch: 1}
	e := newEnvWith(t, nil, nil, setup{serverOn: conf, clientOn: conf})
	e.serveEcho()
	if err := e.echo(e.dial(), 1, 300_000); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []*TransportConfig{{SendBatch: -1}, {SendBatch: 65}, {ReceiveBatch: -1}, {ReceiveBatch: 1025}} {
		if tr, err := NewTransport("127.0.0.1:0", bad); err == nil {
			tr.Close()
			t.Errorf("%d and %d are accepted", bad.SendBatch, bad.ReceiveBatch)
		}
	}
}
