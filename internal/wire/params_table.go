package wire

import "time"

// paramID identifies a transport parameter.
type paramID uint64

const (
	paramOriginalDstID                  paramID = 0x00
	paramMaxIdleTimeout                 paramID = 0x01
	paramStatelessResetToken            paramID = 0x02
	paramMaxUDPPayloadSize              paramID = 0x03
	paramInitialMaxData                 paramID = 0x04
	paramInitialMaxStreamDataBidiLocal  paramID = 0x05
	paramInitialMaxStreamDataBidiRemote paramID = 0x06
	paramInitialMaxStreamDataUni        paramID = 0x07
	paramInitialMaxStreamsBidi          paramID = 0x08
	paramInitialMaxStreamsUni           paramID = 0x09
	paramAckDelayExponent               paramID = 0x0a
	paramMaxAckDelay                    paramID = 0x0b
	paramDisableActiveMigration         paramID = 0x0c
	paramPreferredAddress               paramID = 0x0d
	paramActiveConnIDLimit              paramID = 0x0e
	paramInitialSrcID                   paramID = 0x0f
	paramRetrySrcID                     paramID = 0x10
	paramVersionInformation             paramID = 0x11
	paramMaxDatagramFrameSize           paramID = 0x20
	paramResetStreamAt                  paramID = 0x1d
	paramGreaseQUICBit                  paramID = 0x2ab2
	paramResetStreamAtOld               paramID = 0x17f7586d2cb571 // drafts up to 07
)

var paramNames = map[paramID]string{
	paramOriginalDstID:                  "original_destination_connection_id",
	paramMaxIdleTimeout:                 "max_idle_timeout",
	paramStatelessResetToken:            "stateless_reset_token",
	paramMaxUDPPayloadSize:              "max_udp_payload_size",
	paramInitialMaxData:                 "initial_max_data",
	paramInitialMaxStreamDataBidiLocal:  "initial_max_stream_data_bidi_local",
	paramInitialMaxStreamDataBidiRemote: "initial_max_stream_data_bidi_remote",
	paramInitialMaxStreamDataUni:        "initial_max_stream_data_uni",
	paramInitialMaxStreamsBidi:          "initial_max_streams_bidi",
	paramInitialMaxStreamsUni:           "initial_max_streams_uni",
	paramAckDelayExponent:               "ack_delay_exponent",
	paramMaxAckDelay:                    "max_ack_delay",
	paramDisableActiveMigration:         "disable_active_migration",
	paramPreferredAddress:               "preferred_address",
	paramActiveConnIDLimit:              "active_connection_id_limit",
	paramInitialSrcID:                   "initial_source_connection_id",
	paramRetrySrcID:                     "retry_source_connection_id",
	paramVersionInformation:             "version_information",
	paramMaxDatagramFrameSize:           "max_datagram_frame_size",
	paramResetStreamAt:                  "reset_stream_at",
	paramGreaseQUICBit:                  "grease_quic_bit",
	paramResetStreamAtOld:               "reset_stream_at (before draft 08)",
}

// fromServer reports whether only servers may send the parameter (RFC 9000,
// Section 18.2).
func (id paramID) fromServer() bool {
	switch id {
	case paramOriginalDstID, paramPreferredAddress, paramRetrySrcID, paramStatelessResetToken:
		return true
	}
	return false
}

// intParam is a transport parameter that carries one integer.
type intParam struct {
	id       paramID
	def      uint64 // what its absence means
	min, max uint64 // what its presence may mean
	get      func(*TransportParameters) uint64
	set      func(*TransportParameters, uint64)
}

// intParams is in ascending order of IDs.
var intParams = [...]intParam{
	milliseconds(paramMaxIdleTimeout, 0, MaxVarint,
		func(p *TransportParameters) *time.Duration { return &p.MaxIdleTimeout }),
	plain(paramMaxUDPPayloadSize, DefaultMaxUDPPayloadSize, MinUDPPayloadSize, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.MaxUDPPayloadSize }),
	plain(paramInitialMaxData, 0, 0, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.InitialMaxData }),
	plain(paramInitialMaxStreamDataBidiLocal, 0, 0, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamDataBidiLocal }),
	plain(paramInitialMaxStreamDataBidiRemote, 0, 0, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamDataBidiRemote }),
	plain(paramInitialMaxStreamDataUni, 0, 0, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamDataUni }),
	plain(paramInitialMaxStreamsBidi, 0, 0, MaxStreamCount,
		func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamsBidi }),
	plain(paramInitialMaxStreamsUni, 0, 0, MaxStreamCount,
		func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamsUni }),
	{
		id: paramAckDelayExponent, def: DefaultAckDelayExponent, max: MaxAckDelayExponent,
		get: func(p *TransportParameters) uint64 { return uint64(p.AckDelayExponent) },
		set: func(p *TransportParameters, v uint64) { p.AckDelayExponent = uint8(v) },
	},
	milliseconds(paramMaxAckDelay, uint64(DefaultMaxAckDelay/time.Millisecond), maxMaxAckDelay,
		func(p *TransportParameters) *time.Duration { return &p.MaxAckDelay }),
	plain(paramActiveConnIDLimit, DefaultActiveConnIDLimit, DefaultActiveConnIDLimit, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.ActiveConnIDLimit }),
	plain(paramMaxDatagramFrameSize, 0, 0, MaxVarint,
		func(p *TransportParameters) *uint64 { return &p.MaxDatagramFrameSize }),
}

// plain makes an intParam that is kept as it is sent.
func plain(id paramID, def, min, max uint64, at func(*TransportParameters) *uint64) intParam {
	return intParam{
		id: id, def: def, min: min, max: max,
		get: func(p *TransportParameters) uint64 { return *at(p) },
		set: func(p *TransportParameters, v uint64) { *at(p) = v },
	}
}

// milliseconds makes an intParam that is sent in milliseconds, rounded up. A
// received value that does not fit into a Duration becomes the longest that
// does.
func milliseconds(id paramID, def, max uint64, at func(*TransportParameters) *time.Duration) intParam {
	const longest = (1<<63 - 1) / uint64(time.Millisecond)
	return intParam{
		id: id, def: def, max: max,
		get: func(p *TransportParameters) uint64 {
			d := *at(p)
			ms := uint64(d / time.Millisecond)
			if d%time.Millisecond > 0 {
				ms++
			}
			return ms
		},
		set: func(p *TransportParameters, v uint64) {
			*at(p) = time.Duration(min(v, longest)) * time.Millisecond
		},
	}
}

// findIntParam returns the parameter that carries one integer and has this ID,
// or nil.
func findIntParam(id paramID) *intParam {
	for i := range intParams {
		if intParams[i].id == id {
			return &intParams[i]
		}
	}
	return nil
}
