package engine_test

import (
	"slices"
	"testing"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TestDatagramTrains: DATAGRAM frames that fill packets alike leave in one train,
// though the packets are shorter than they might be, and none is lost for that.
func TestDatagramTrains(t *testing.T) {
	for _, tt := range []struct {
		name  string
		sizes []int
		want  []int // datagrams in each train
	}{
		{"alike", []int{900, 900, 900, 900}, []int{4}},
		{"the last is shorter", []int{900, 900, 700}, []int{3}},
		{"one is shorter", []int{900, 700, 900, 900}, []int{2, 2}},
		{"one is longer", []int{900, 901, 900}, []int{1, 2}},
		{"two in a packet", []int{500, 500, 500, 500, 500, 500}, []int{6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPair(t, engine.Config{Datagrams: true})
			p.exchange()
			client, server := p.ends[wire.ClientSide], p.ends[wire.ServerSide]
			for _, n := range tt.sizes {
				if err := client.conn.Datagrams().Send(make([]byte, n)); err != nil {
					t.Fatal(err)
				}
			}
			var trains, arrived []int
			for len(arrived) < len(tt.sizes) {
				if !p.sendTrain(client, server) {
					t.Fatalf("%d of %d datagrams arrived", len(arrived), len(tt.sizes))
				}
				before := len(arrived)
				for in := &server.conn.Datagrams().In; in.Len() > 0; {
					b, _ := in.Pop(nil)
					arrived = append(arrived, len(b))
				}
				trains = append(trains, len(arrived)-before)
			}
			if !slices.Equal(trains, tt.want) || !slices.Equal(arrived, tt.sizes) {
				t.Errorf("trains of %v datagrams, want %v; sizes %v, want %v", trains, tt.want, arrived, tt.sizes)
			}
		})
	}
}
