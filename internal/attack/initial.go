package attack

import (
	"net/netip"

	"github.com/godwit-quic/godwit/internal/engine"
	"github.com/godwit-quic/godwit/internal/handshake"
	"github.com/godwit-quic/godwit/internal/protect"
	"github.com/godwit-quic/godwit/internal/wire"
)

// knocker begins handshakes that nobody means to complete, with one hello for all:
// what differs is the connection ID that each invents.
type knocker struct {
	a      *attacker
	local  wire.ConnectionID
	crypto []byte // a CRYPTO frame with the hello
	buf    []byte
	// seen counts what came back.
	retries, answers int
}

// newKnocker makes the hello.
func (a *attacker) newKnocker() (*knocker, error) {
	return a.newKnockerWith(func(*wire.TransportParameters) {})
}

// newKnockerWith makes a hello with other transport parameters.
func (a *attacker) newKnockerWith(edit func(*wire.TransportParameters)) (*knocker, error) {
	t, err := handshake.NewClient(tlsConfig, "localhost", false)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	k := &knocker{a: a, local: a.randomID()}
	params := wire.DefaultTransportParameters()
	params.InitialSrcID = wire.SomeID(k.local)
	edit(&params)
	if err := t.Start(wire.Version1, wire.AppendTransportParameters(nil, &params)); err != nil {
		return nil, err
	}
	for e := t.NextEvent(); e.Kind != engine.TLSNoEvent; e = t.NextEvent() {
		if e.Kind == engine.TLSWriteData {
			k.crypto = append(k.crypto, e.Data...)
		}
	}
	k.crypto = wire.AppendCrypto(nil, wire.Crypto{Data: k.crypto})
	return k, nil
}

// knock sends an Initial packet with the hello from an address. frames, unless nil,
// take the hello's place.
func (k *knocker) knock(from netip.Addr, dst wire.ConnectionID, token, frames []byte) {
	k.a.handshakes++
	k.a.sock.queue(from, k.initial(&dst, token, frames))
}

// initial seals an Initial packet.
func (k *knocker) initial(dst *wire.ConnectionID, token, frames []byte) []byte {
	if frames == nil {
		frames = k.crypto
	}
	sealer, _ := protect.NewInitial(wire.Version1, dst.Bytes(), wire.ClientSide)
	k.buf = appendLong(k.buf[:0], wire.InitialPacket, dst, &k.local, token, 0, frames, &sealer)
	return k.buf
}

// handle answers a Retry packet with its token, from an address.
func (k *knocker) handle(b []byte, from netip.Addr) {
	if len(b) == 0 || b[0]&0x80 == 0 {
		return
	}
	h, ok := wire.ParseLongHeader(b)
	switch {
	case !ok || h.DstID != k.local:
	case h.Type == wire.RetryPacket:
		k.retries++
		k.a.sock.queue(from, k.initial(&h.SrcID, h.Token, nil))
	case h.Type == wire.InitialPacket:
		k.answers++
	}
}
