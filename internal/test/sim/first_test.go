package sim

import (
	"testing"
	"time"
)

func TestClean(t *testing.T) {
	r := Run{Seed: 1, Nodes: []Node{&Delay{RTT: 20 * time.Millisecond}}, Work: Work{Streams: 5, UniStreams: 2, Upload: 100_000, Download: 200_000}}
	if err := r.Do(); err != nil {
		t.Fatal(err)
	}
	t.Log(r.Elapsed(), r.describe())
}
