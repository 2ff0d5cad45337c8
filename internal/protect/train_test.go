package protect

import (
	"bytes"
	"testing"

	"github.com/godwit-quic/godwit/internal/wire"
)

// TestTrain builds packets of all sizes in a buffer, more than fit into a train, behind a
// packet that is not of the train: each becomes what Seal makes of it alone.
func TestTrain(t *testing.T) {
	for _, s := range suites {
		for n := range 2*TrainLen + 2 {
			one, _ := newPeers(t, s)
			all, peer := newPeers(t, s)
			other, _ := newPair(t, s)
			if n%2 == 1 {
				all.keys.Rest()
			}
			first, at := shortPacket(0, 1, false, []byte("not of the train"))
			b := append(make([]byte, 0, 64<<10), other.Seal(first, at, 1, 0)...)
			want := bytes.Clone(b)
			var train Train
			for i := range n {
				pn, pnLen := wire.PacketNumber(i), 1+i%4
				pkt, at := shortPacket(pn, pnLen, false, bytes.Repeat([]byte{byte(i)}, 4+i*i*4))
				start := len(b)
				b = all.keys.SealLater(&train, append(b, pkt...), start, at, pnLen, pn)
				want = append(want, one.keys.Seal(pkt, at, pnLen, pn)...)
				if i == 3 {
					all.keys.SealTrain(&train, b)
				}
			}
			all.keys.SealTrain(&train, b)
			if !bytes.Equal(b, want) {
				t.Errorf("%v: a train of %d packets is not what they are alone", s, n)
			}
			all.next = wire.PacketNumber(n)
			peer.wantOpen("packet after the train", all.seal(), false, nil)
		}
	}
}
