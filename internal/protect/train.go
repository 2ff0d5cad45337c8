package protect

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/protect/gcm"
	"github.com/godwit-quic/godwit/internal/wire"
)

// TrainLen is how many packets a Train takes. The masks for so many headers are made as fast
// as one, and so many large packets are still near the processor when they are sealed.
const TrainLen = 8

// Train is packets that are built one behind the other in a buffer, to be sealed in one go.
// The zero value has none.
type Train struct {
	packets [TrainLen]gcm.Packet
	pnLens  [TrainLen]int
	n       int
}

// SealLater is Seal for b[start:], but leaves the work to SealTrain, which must be called
// before the packet is sent and before Update; pnOffset counts from start. It returns b with
// the packet, Overhead bytes longer. All packets of a train are in the same buffer, in turn.
func (k *AppKeys) SealLater(t *Train, b []byte, start, pnOffset, pnLen int, pn wire.PacketNumber) []byte {
	k.write.count(pn)
	b = slices.Grow(b, Overhead)[:len(b)+Overhead]
	t.packets[t.n] = gcm.Packet{Start: start, Header: pnOffset + pnLen, End: len(b), Number: uint64(pn)}
	t.pnLens[t.n] = pnLen
	if t.n++; t.n == TrainLen {
		k.SealTrain(t, b)
	}
	return b
}

// SealTrain seals what SealLater left, in b, the buffer up to the last packet. Then the train
// is empty.
func (k *AppKeys) SealTrain(t *Train, b []byte) {
	if t.n == 0 {
		return
	}
	if k.appCiphers == nil {
		k.wake()
	}
	k.sealing.sealTrain(b, t.packets[:t.n], &k.sealingHeader.mask)
	k.sealingHeader.protectTrain(b, t)
	t.n = 0
}

// sealTrain seals packets of b in place.
func (k *packetKey) sealTrain(b []byte, packets []gcm.Packet, sc *scratch) {
	if k.gcm != nil {
		k.gcm.Seal(b, packets)
		return
	}
	for i := range packets {
		p := &packets[i]
		k.seal(b[p.Start:p.End-Overhead:p.End], p.Header, wire.PacketNumber(p.Number), sc)
	}
}

// protectTrain masks the headers of a sealed train.
func (k *headerKey) protectTrain(b []byte, t *Train) {
	if k.masks == nil {
		for i := range t.n {
			p := &t.packets[i]
			k.protect(b[p.Start:p.End], p.Header-t.pnLens[i], t.pnLens[i])
		}
		return
	}
	var masks [TrainLen][sampleLen]byte
	for i := range t.n {
		p := &t.packets[i]
		masks[i] = [sampleLen]byte(b[p.Start+p.Header-t.pnLens[i]+maxPNLen:])
	}
	k.masks.Encrypt(masks[:t.n])
	for i := range t.n {
		p := &t.packets[i]
		mask := (*scratch)(&masks[i])
		mask.first(b[p.Start:])
		mask.number(b[p.Start+p.Header-t.pnLens[i] : p.Start+p.Header])
	}
}
