package quic

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestDatagrams echoes datagrams of all sizes and finds the bounds.
func TestDatagrams(t *testing.T) {
	conf := &Config{EnableDatagrams: true}
	client, server := newEnv(t, conf, conf).pair()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	go func() {
		for {
			b, err := server.ReceiveDatagram(ctx)
			if err != nil {
				return
			}
			_ = server.SendDatagram(b)
		}
	}()
	for n := range 200 {
		b := binary.BigEndian.AppendUint32(make([]byte, n*5), uint32(n))
		if err := client.SendDatagram(b[:n], b[n:]); err != nil {
			t.Fatal(err)
		}
		got, err := client.ReceiveDatagram(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(b) {
			t.Fatalf("datagram %d came back as %d bytes", n, len(got))
		}
	}
	var large *DatagramTooLargeError
	if err := client.SendDatagram(make([]byte, 2000)); !errors.As(err, &large) || large.Max != client.MaxDatagramSize() || large.Size != 2000 {
		t.Errorf("a datagram of 2000 bytes: %v", err)
	}
	// An empty one is a datagram too.
	if err := client.SendDatagram(nil); err != nil {
		t.Fatal(err)
	}
	if b, err := client.ReceiveDatagram(ctx); err != nil || len(b) != 0 {
		t.Errorf("empty datagram: %d bytes, %v", len(b), err)
	}
	_ = client.CloseWithError(0, "")
	<-client.Done()
	if err := client.SendDatagram(nil); err == nil {
		t.Error("a datagram was taken after the end")
	}
	if _, err := client.ReceiveDatagram(ctx); err == nil {
		t.Error("a datagram was received after the end")
	}
}

// TestDatagramQueue: what nobody receives is dropped, the oldest first, and
// counted.
func TestDatagramQueue(t *testing.T) {
	conf := &Config{EnableDatagrams: true}
	client, server := newEnv(t, conf, conf).pair()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s, err := client.OpenUniStream(ctx)
	if err != nil {
		t.Fatal(err)
	}
	const n = 4000
	for i := range n {
		if err := client.SendDatagram(binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.WriteLast([]byte("after")); err != nil {
		t.Fatal(err)
	}
	if _, err := server.AcceptUniStream(ctx); err != nil {
		t.Fatal(err)
	}
	received, last := 0, -1
	for server.datagrams.Len() > 0 {
		b, err := server.ReceiveDatagram(ctx)
		if err != nil {
			t.Fatal(err)
		}
		i := int(binary.BigEndian.Uint32(b))
		if i <= last {
			t.Fatalf("datagram %d after %d", i, last)
		}
		received, last = received+1, i
	}
	if received == 0 || received == n {
		t.Errorf("received %d of %d datagrams, want some dropped", received, n)
	}
	dropped := client.Stats().SendDatagramsDropped + server.Stats().ReceiveDatagramsDropped
	if dropped == 0 {
		t.Error("no drop was counted")
	}
}

func TestDatagramsDisabled(t *testing.T) {
	client, server := newEnv(t, nil, &Config{EnableDatagrams: true}).pair()
	for name, c := range map[string]*Conn{"client": client, "server": server} {
		if err := c.SendDatagram([]byte("x")); !errors.Is(err, ErrDatagramsDisabled) {
			t.Errorf("%s: %v, want ErrDatagramsDisabled", name, err)
		}
		if n := c.MaxDatagramSize(); n != 0 {
			t.Errorf("%s: MaxDatagramSize is %d", name, n)
		}
	}
	if _, err := server.ReceiveDatagram(t.Context()); !errors.Is(err, ErrDatagramsDisabled) {
		t.Errorf("receive: %v", err)
	}
}

// TestDatagramsAreCopied: what a goroutine receives is its own, whatever comes next in
// the memory that the socket reads into.
func TestDatagramsAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := &Config{EnableDatagrams: true}
		e, closeAll := newMemEnv(t, conf, conf)
		defer closeAll()
		client, server := e.pair()
		var got []uint32
		for i := range 60 {
			if err := client.SendDatagram(binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
				t.Fatal(err)
			}
			if i%7 == 0 {
				time.Sleep(time.Second)
			}
		}
		time.Sleep(time.Second)
		for range 60 {
			p, err := server.ReceiveDatagram(e.ctx)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, binary.BigEndian.Uint32(p))
		}
		if !slices.IsSorted(got) || got[59] != 59 {
			t.Errorf("received %v", got)
		}
	})
}
