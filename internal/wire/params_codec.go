package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// AppendTransportParameters appends the encoding of p (RFC 9000, Section 18).
// Integers that equal their default are left out, and so are those too small
// to be valid: zero in MaxUDPPayloadSize and ActiveConnIDLimit means the
// default. Parameters that only a server may send must not be set by a client.
func AppendTransportParameters(b []byte, p *TransportParameters) []byte {
	b = appendIDParam(b, paramOriginalDstID, &p.OriginalDstID)
	b = appendIDParam(b, paramInitialSrcID, &p.InitialSrcID)
	b = appendIDParam(b, paramRetrySrcID, &p.RetrySrcID)
	if p.HasStatelessResetToken {
		b = appendParam(b, paramStatelessResetToken, len(p.StatelessResetToken))
		b = append(b, p.StatelessResetToken[:]...)
	}
	if p.PreferredAddress != nil {
		b = appendPreferredAddress(b, p.PreferredAddress)
	}
	for i := range intParams {
		d := &intParams[i]
		if v := d.get(p); v != d.def && v >= d.min {
			b = appendParam(b, d.id, SizeVarint(v))
			b = AppendVarint(b, v)
		}
	}
	if p.VersionInformation != nil {
		b = appendVersionInformation(b, p.VersionInformation)
	}
	if p.DisableActiveMigration {
		b = appendParam(b, paramDisableActiveMigration, 0)
	}
	if p.GreaseQUICBit {
		b = appendParam(b, paramGreaseQUICBit, 0)
	}
	if p.ResetStreamAt {
		b = appendParam(b, paramResetStreamAt, 0)
		b = appendParam(b, paramResetStreamAtOld, 0)
	}
	return b
}

// appendParam appends what comes before a parameter's value of length bytes.
func appendParam(b []byte, id paramID, length int) []byte {
	b = AppendVarint(b, uint64(id))
	return AppendVarint(b, uint64(length))
}

func appendIDParam(b []byte, id paramID, c *OptionalID) []byte {
	if !c.Set {
		return b
	}
	b = appendParam(b, id, c.Len())
	return append(b, c.Bytes()...)
}

// ParseTransportParameters decodes the parameters that the peer, which is from,
// sent. Absent ones have their default. Unknown ones are skipped, as RFC 9000,
// Section 7.4.2 asks. An error, which is for a TRANSPORT_PARAMETER_ERROR, says
// which parameter is truncated, repeated, out of bounds, or not a client's to
// send.
func ParseTransportParameters(b []byte, from Side) (TransportParameters, error) {
	p := DefaultTransportParameters()
	var seen uint64 // a bit for each known parameter with an ID below 64
	r := reader{b: b}
	for r.off < len(b) {
		id := paramID(r.varint())
		value := r.bytes(r.varint())
		if r.off < 0 {
			return p, errors.New("wire: transport parameters are truncated")
		}
		name, known := paramNames[id]
		if !known {
			continue
		}
		if seen&id.bit() != 0 {
			return p, fmt.Errorf("wire: transport parameter %s is repeated", name)
		}
		seen |= id.bit()
		if from == ClientSide && id.fromServer() {
			return p, fmt.Errorf("wire: transport parameter %s comes from a client", name)
		}
		if !p.consume(id, value, from) {
			return p, fmt.Errorf("wire: transport parameter %s has an invalid value", name)
		}
	}
	return p, nil
}

// bit maps known parameters to distinct bits.
func (id paramID) bit() uint64 {
	switch id {
	case paramGreaseQUICBit:
		return 1 << 63
	case paramResetStreamAtOld:
		return 1 << 62
	}
	return 1 << id
}

// consume stores the value of the known parameter id, which comes from a side, and
// reports whether it is valid.
func (p *TransportParameters) consume(id paramID, value []byte, from Side) bool {
	switch id {
	case paramOriginalDstID:
		return p.OriginalDstID.consume(value)
	case paramInitialSrcID:
		return p.InitialSrcID.consume(value)
	case paramRetrySrcID:
		return p.RetrySrcID.consume(value)
	case paramStatelessResetToken:
		p.HasStatelessResetToken = true
		return copy(p.StatelessResetToken[:], value) == len(value) && len(value) == len(p.StatelessResetToken)
	case paramPreferredAddress:
		var ok bool
		p.PreferredAddress, ok = parsePreferredAddress(value)
		return ok
	case paramVersionInformation:
		var ok bool
		p.VersionInformation, ok = parseVersionInformation(value, from)
		return ok
	case paramDisableActiveMigration:
		p.DisableActiveMigration = true
		return len(value) == 0
	case paramResetStreamAt, paramResetStreamAtOld:
		p.ResetStreamAt = true
		return len(value) == 0
	case paramGreaseQUICBit:
		p.GreaseQUICBit = true
		return len(value) == 0
	}
	d := findIntParam(id)
	v, n := ConsumeVarint(value)
	if n < 0 || n != len(value) || v < d.min || v > d.max {
		return false
	}
	d.set(p, v)
	return true
}

func (c *OptionalID) consume(value []byte) (ok bool) {
	c.Set = true
	c.ConnectionID, ok = NewConnectionID(value)
	return ok
}

// preferredAddressLen is the length of a preferred_address but for the
// connection ID: both addresses with ports, the ID's length, the token.
const preferredAddressLen = 4 + 2 + 16 + 2 + 1 + 16

func appendPreferredAddress(b []byte, a *PreferredAddress) []byte {
	b = appendParam(b, paramPreferredAddress, preferredAddressLen+a.ID.Len())
	var v4 [4]byte
	if a.IPv4.IsValid() {
		v4 = a.IPv4.Addr().As4()
	}
	b = append(b, v4[:]...)
	b = binary.BigEndian.AppendUint16(b, a.IPv4.Port())
	var v6 [16]byte
	if a.IPv6.IsValid() {
		v6 = a.IPv6.Addr().As16()
	}
	b = append(b, v6[:]...)
	b = binary.BigEndian.AppendUint16(b, a.IPv6.Port())
	b = append(b, a.ID.len)
	b = append(b, a.ID.Bytes()...)
	return append(b, a.Token[:]...)
}

// parsePreferredAddress returns false when b has another length than its
// connection ID says, or that ID is empty (RFC 9000, Section 18.2).
func parsePreferredAddress(b []byte) (*PreferredAddress, bool) {
	r := reader{b: b}
	v4, v4Port := r.bytes(4), r.bytes(2)
	v6, v6Port := r.bytes(16), r.bytes(2)
	id, okID := NewConnectionID(r.shortBytes())
	token := r.bytes(uint64(len(ResetToken{})))
	if r.off != len(b) || !okID || id.Len() == 0 {
		return nil, false
	}
	return &PreferredAddress{
		IPv4:  offeredAddr(v4, v4Port),
		IPv6:  offeredAddr(v6, v6Port),
		ID:    id,
		Token: ResetToken(token),
	}, true
}

// offeredAddr returns the zero AddrPort for a family that is not offered, all
// zeros on the wire.
func offeredAddr(ip, port []byte) netip.AddrPort {
	addr, _ := netip.AddrFromSlice(ip)
	ap := netip.AddrPortFrom(addr, binary.BigEndian.Uint16(port))
	if addr.IsUnspecified() && ap.Port() == 0 {
		return netip.AddrPort{}
	}
	return ap
}
