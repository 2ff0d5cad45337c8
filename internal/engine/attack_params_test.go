package engine_test

import (
	"testing"
	"time"

	"github.com/godwit-quic/godwit/internal/wire"
)

// param encodes a transport parameter that is an integer.
func param(id, value uint64) []byte {
	v := wire.AppendVarint(nil, value)
	return rawParam(id, v)
}

func rawParam(id uint64, value []byte) []byte {
	b := wire.AppendVarint(nil, id)
	b = wire.AppendVarint(b, uint64(len(value)))
	return append(b, value...)
}

// shake goes as far with the handshake as it comes.
func (p *puppet) shake() {
	p.t.Helper()
	p.start()
	for range 3 {
		p.flush()
		if p.conn.Closed() != nil {
			return
		}
	}
}

// Attack: transport parameters. Each limit broken ends the handshake with
// TRANSPORT_PARAMETER_ERROR (RFC 9000, Sections 7.4 and 18.2).
func TestAttackTransportParameters(t *testing.T) {
	id := func(b ...byte) []byte { return b }
	both := map[string][]byte{
		"max_udp_payload_size 1199":             param(0x03, 1199),
		"ack_delay_exponent 21":                 param(0x0a, 21),
		"max_ack_delay 2^14":                    param(0x0b, 1<<14),
		"active_connection_id_limit 1":          param(0x0e, 1),
		"initial_max_streams_bidi 2^60+1":       param(0x08, 1<<60+1),
		"initial_max_streams_uni 2^62-1":        param(0x09, wire.MaxVarint),
		"truncated integer":                     rawParam(0x20, []byte{0x40}),
		"truncated value":                       {0x20, 8, 1},
		"truncated length":                      {0x20},
		"huge length":                           append(wire.AppendVarint(id(0x20), wire.MaxVarint), 1),
		"integer with more behind it":           rawParam(0x20, []byte{1, 2}),
		"empty integer":                         rawParam(0x20, nil),
		"disable_active_migration with a value": rawParam(0x0c, []byte{1}),
		"grease_quic_bit with a value":          rawParam(0x2ab2, []byte{1}),
		"repeated":                              append(rawParam(0x0c, nil), rawParam(0x0c, nil)...),
		"repeated initial_max_data":             param(0x04, 5),
		"connection ID of 21 bytes":             rawParam(0x10, make([]byte, 21)),
	}
	fromClient := map[string][]byte{
		"original_destination_connection_id": rawParam(0x00, make([]byte, 8)),
		"stateless_reset_token":              rawParam(0x02, make([]byte, 16)),
		"preferred_address":                  rawParam(0x0d, preferredAddress(8)),
		"retry_source_connection_id":         rawParam(0x10, make([]byte, 8)),
	}
	fromServer := map[string][]byte{
		"short stateless_reset_token":           rawParam(0x02, make([]byte, 15)),
		"long stateless_reset_token":            rawParam(0x02, make([]byte, 17)),
		"preferred_address without ID":          rawParam(0x0d, preferredAddress(0)),
		"preferred_address cut":                 rawParam(0x0d, preferredAddress(8)[:40]),
		"retry_source_connection_id unasked":    rawParam(0x10, make([]byte, 8)),
		"preferred_address with an ID too long": rawParam(0x0d, preferredAddress(21)),
	}
	run := func(side wire.Side, tests map[string][]byte) {
		for name, extra := range tests {
			t.Run(side.String()+" "+name, func(t *testing.T) {
				p := newRole(t, side.Peer(), func(p *puppet) {
					p.extraTP = extra
					p.params.InitialMaxStreamsBidi, p.params.InitialMaxStreamsUni = 0, 0 // absent, so not repeated
				})
				p.shake()
				p.wantClose(wire.TransportParameterError)
				p.wantForgotten()
			})
		}
	}
	run(wire.ClientSide, both)
	run(wire.ServerSide, both)
	run(wire.ClientSide, fromClient)
	run(wire.ServerSide, fromServer)
}

// preferredAddress encodes the value of one with an ID of n bytes.
func preferredAddress(n int) []byte {
	b := append([]byte{192, 0, 2, 1, 1, 187}, make([]byte, 18)...)
	b = append(b, byte(n))
	return append(b, make([]byte, n+16)...)
}

// Attack: transport parameters that name other connection IDs than the packets
// did, or none (RFC 9000, Section 7.3).
func TestAttackConnectionIDParameters(t *testing.T) {
	wrong := wire.SomeID(connID("intruder"))
	tests := []struct {
		name string
		from wire.Side
		edit func(*wire.TransportParameters)
	}{
		{"no source ID of a client", wire.ClientSide, func(p *wire.TransportParameters) { p.InitialSrcID = wire.OptionalID{} }},
		{"wrong source ID of a client", wire.ClientSide, func(p *wire.TransportParameters) { p.InitialSrcID = wrong }},
		{"no source ID of a server", wire.ServerSide, func(p *wire.TransportParameters) { p.InitialSrcID = wire.OptionalID{} }},
		{"wrong source ID of a server", wire.ServerSide, func(p *wire.TransportParameters) { p.InitialSrcID = wrong }},
		{"no original ID", wire.ServerSide, func(p *wire.TransportParameters) { p.OriginalDstID = wire.OptionalID{} }},
		{"wrong original ID", wire.ServerSide, func(p *wire.TransportParameters) { p.OriginalDstID = wrong }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newRole(t, tt.from.Peer(), func(p *puppet) { p.editTP = tt.edit })
			p.shake()
			p.wantClose(wire.TransportParameterError)
			p.wantForgotten()
		})
	}
}

// A server without connection IDs has none for another address (RFC 9000,
// Section 18.2).
func TestAttackPreferredAddressWithoutID(t *testing.T) {
	p := newClient(t, func(p *puppet) {
		p.local = wire.ConnectionID{}
		p.extraTP = rawParam(0x0d, preferredAddress(8))
	})
	p.shake()
	p.wantClose(wire.TransportParameterError)
}

// The ID of a preferred address is the server's number 1, which may be retired
// and must not be given twice (RFC 9000, Section 5.1.1).
func TestPreferredAddressID(t *testing.T) {
	offer := func(p *puppet) { p.extraTP = rawParam(0x0d, preferredAddress(8)) }
	p := newClient(t, offer)
	p.handshake()
	p.local = connID(peerID(2))
	p.send(wire.AppSpace, newConnID(2, 2, peerID(2)))
	p.want(retireConnID(0))
	p.want(retireConnID(1))
	p.silence()

	p = newClient(t, offer)
	p.handshake()
	p.send(wire.AppSpace, newConnID(1, 0, peerID(1)))
	p.wantClose(wire.ProtocolViolation)
}

// Parameters at their limits, and unknown ones, are good.
func TestTransportParametersAtLimits(t *testing.T) {
	good := []byte{}
	good = append(good, rawParam(0x1f*7+27, []byte("reserved"))...) // Section 18.1
	good = append(good, rawParam(wire.MaxVarint, make([]byte, 900))...)
	for _, side := range []wire.Side{wire.ClientSide, wire.ServerSide} {
		p := newRole(t, side, func(p *puppet) {
			p.extraTP = good
			p.params.MaxUDPPayloadSize = 1200
			p.params.AckDelayExponent = 20
			p.params.MaxAckDelay = (1<<14 - 1) * time.Millisecond
			p.params.ActiveConnIDLimit = wire.MaxVarint
			p.params.MaxIdleTimeout = wire.MaxVarint * time.Nanosecond
			p.params.InitialMaxData = wire.MaxVarint
			p.params.InitialMaxStreamDataBidiLocal = wire.MaxVarint
			p.params.InitialMaxStreamsBidi = 1 << 60
			p.params.InitialMaxStreamsUni = 1 << 60
			p.params.MaxDatagramFrameSize = wire.MaxVarint
		})
		p.handshake()
		p.wantOpen()
		p.serve(5000)
		if n := p.count(wire.FrameStream | wire.StreamLen | wire.StreamOff | wire.StreamFin); n != 1 {
			t.Errorf("%v: %d frames end the stream", side, n)
		}
		p.wantOpen()
	}
}

// Attack: transport parameters of any bytes: an error or a handshake, never
// anything in between.
func FuzzTransportParameters(f *testing.F) {
	f.Add(true, param(0x03, 1199))
	f.Add(false, rawParam(0x0d, preferredAddress(8)))
	f.Add(true, append(param(0x20, 1200), rawParam(0x1234, nil)...))
	f.Fuzz(func(t *testing.T, client bool, extra []byte) {
		side := wire.ServerSide
		if client {
			side = wire.ClientSide
		}
		p := newRole(t, side, func(p *puppet) { p.extraTP = extra[:min(len(extra), 1000)] })
		p.shake()
		if p.conn.Closed() != nil {
			p.wantClose(wire.TransportParameterError)
		}
		p.advance(time.Second)
	})
}
