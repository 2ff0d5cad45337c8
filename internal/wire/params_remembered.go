package wire

// Remembered returns what of a server's parameters holds for a client's early data on
// later connections (RFC 9000, Section 7.4.1; RFC 9221, Section 3;
// draft-ietf-quic-reliable-stream-reset, Section 3). The rest belongs to its connection.
func (p *TransportParameters) Remembered() TransportParameters {
	r := DefaultTransportParameters()
	r.MaxIdleTimeout = p.MaxIdleTimeout
	r.MaxUDPPayloadSize = p.MaxUDPPayloadSize
	r.ActiveConnIDLimit = p.ActiveConnIDLimit
	r.DisableActiveMigration = p.DisableActiveMigration
	r.ResetStreamAt = p.ResetStreamAt
	for _, limit := range earlyLimits {
		*limit.at(&r) = *limit.at(p)
	}
	return r
}

// earlyLimits must not be below what was remembered where early data is accepted.
var earlyLimits = []struct {
	name string
	at   func(*TransportParameters) *uint64
}{
	{"active_connection_id_limit", func(p *TransportParameters) *uint64 { return &p.ActiveConnIDLimit }},
	{"initial_max_data", func(p *TransportParameters) *uint64 { return &p.InitialMaxData }},
	{"initial_max_stream_data_bidi_local", func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamDataBidiLocal }},
	{"initial_max_stream_data_bidi_remote", func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamDataBidiRemote }},
	{"initial_max_stream_data_uni", func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamDataUni }},
	{"initial_max_streams_bidi", func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamsBidi }},
	{"initial_max_streams_uni", func(p *TransportParameters) *uint64 { return &p.InitialMaxStreamsUni }},
	{"max_datagram_frame_size", func(p *TransportParameters) *uint64 { return &p.MaxDatagramFrameSize }},
}

// ReducedFrom returns the name of a parameter that is below, or less than, what was
// remembered and may not be where early data is accepted; "" for none.
func (p *TransportParameters) ReducedFrom(remembered *TransportParameters) string {
	for _, limit := range earlyLimits {
		if *limit.at(p) < *limit.at(remembered) {
			return limit.name
		}
	}
	if remembered.ResetStreamAt && !p.ResetStreamAt {
		return "reset_stream_at"
	}
	return ""
}
