package h3

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/wire"
)

// SettingID identifies a setting (RFC 9114, Section 7.2.4.1).
type SettingID uint64

// The settings of RFC 9114, RFC 9204, RFC 9220 and RFC 9297.
const (
	SettingQPACKMaxTableCapacity SettingID = 0x01
	SettingMaxFieldSectionSize   SettingID = 0x06
	SettingQPACKBlockedStreams   SettingID = 0x07
	SettingEnableConnectProtocol SettingID = 0x08
	SettingDatagram              SettingID = 0x33
	// SettingDatagramDraft04 is SettingDatagram as drafts of RFC 9297 had it;
	// browsers still send both.
	SettingDatagramDraft04 SettingID = 0xffd277
)

// isHTTP2 reports whether id is a setting of HTTP/2 without a counterpart, which
// must not be sent (RFC 9114, Sections 7.2.4.1 and 11.2.2).
func (id SettingID) isHTTP2() bool {
	return id == 0x00 || (id >= 0x02 && id <= 0x05)
}

// Setting is a setting that this package knows nothing of.
type Setting struct {
	ID    SettingID
	Value uint64
}

// Settings are what one end tells the other in its SETTINGS frame.
type Settings struct {
	// MaxFieldSectionSize is the largest header or trailer section its sender
	// accepts, in bytes as qpack.Field.Size counts them; 0 when there is none.
	MaxFieldSectionSize uint64
	// QPACKMaxTableCapacity is the largest dynamic table its sender keeps for
	// the other end's encoder, in bytes.
	QPACKMaxTableCapacity uint64
	// QPACKBlockedStreams is how many streams the other end's encoder may block.
	QPACKBlockedStreams uint64
	// ExtendedConnect says that a server takes CONNECT requests with :protocol
	// (RFC 9220, Section 3).
	ExtendedConnect bool
	// Datagrams says that its sender takes HTTP datagrams in DATAGRAM frames
	// (RFC 9297, Section 2.1.1).
	Datagrams bool
	// Extra are settings of extensions. The peer's are kept only by an end that
	// has such itself; all others mean nothing.
	Extra []Setting
}

const (
	// maxSettingsPayload and maxSettings bound, in bytes and in number, what a
	// SETTINGS frame may make this end store and compare. Implementations send
	// about ten settings of at most 16 bytes.
	maxSettingsPayload = 1024
	maxSettings        = 64
)

// appendSettings appends a SETTINGS frame, with the reserved setting that
// exercises the other end (RFC 9114, Section 7.2.4.1).
func appendSettings(b []byte, s *Settings, random uint64) []byte {
	payload := appendSetting(make([]byte, 0, 64), SettingMaxFieldSectionSize, s.MaxFieldSectionSize)
	payload = appendSetting(payload, SettingQPACKMaxTableCapacity, s.QPACKMaxTableCapacity)
	payload = appendSetting(payload, SettingQPACKBlockedStreams, s.QPACKBlockedStreams)
	if s.ExtendedConnect {
		payload = appendSetting(payload, SettingEnableConnectProtocol, 1)
	}
	if s.Datagrams {
		payload = appendSetting(payload, SettingDatagram, 1)
		payload = appendSetting(payload, SettingDatagramDraft04, 1)
	}
	for _, extra := range s.Extra {
		payload = appendSetting(payload, extra.ID, extra.Value)
	}
	payload = wire.AppendVarint(payload, reservedID(random))
	payload = wire.AppendVarint(payload, random>>48)
	b = AppendFrameHeader(b, FrameSettings, uint64(len(payload)))
	return append(b, payload...)
}

// appendSetting appends a setting unless it has its default value: 0, or for the
// field section size none.
func appendSetting(b []byte, id SettingID, v uint64) []byte {
	if v == 0 {
		return b
	}
	return wire.AppendVarint(wire.AppendVarint(b, uint64(id)), v)
}

// reservedID is a number of the form 0x1f * N + 0x21. Settings, frames and
// streams of such types mean nothing; they keep the other end used to the
// unknown (RFC 9114, Section 7.2.8).
func reservedID(random uint64) uint64 { return 0x1f*(random&0xffff) + 0x21 }

// parseSettings reads the payload of a SETTINGS frame. keepExtra says whether
// settings that this package does not know are kept.
func parseSettings(b []byte, keepExtra bool) (*Settings, error) {
	s := new(Settings)
	seen := make([]uint64, 0, 16)
	for len(b) > 0 {
		id, n := wire.ConsumeVarint(b)
		if n < 0 {
			return s, &ConnError{FrameError, "SETTINGS ends within an identifier"}
		}
		v, m := wire.ConsumeVarint(b[n:])
		if m < 0 {
			return s, &ConnError{FrameError, "SETTINGS ends within a value"}
		}
		b = b[n+m:]
		switch {
		case slices.Contains(seen, id):
			return s, &ConnError{SettingsError, "setting occurs twice"}
		case len(seen) == maxSettings:
			return s, &ConnError{ExcessiveLoad, "too many settings"}
		case SettingID(id).isHTTP2():
			return s, &ConnError{SettingsError, "setting of HTTP/2"}
		}
		seen = append(seen, id)
		if known, err := s.set(SettingID(id), v); err != nil {
			return s, err
		} else if !known && keepExtra {
			s.Extra = append(s.Extra, Setting{SettingID(id), v})
		}
	}
	return s, nil
}

// set takes one setting. It reports whether the setting is known.
func (s *Settings) set(id SettingID, v uint64) (known bool, err error) {
	switch id {
	case SettingMaxFieldSectionSize:
		s.MaxFieldSectionSize = v
	case SettingQPACKMaxTableCapacity:
		s.QPACKMaxTableCapacity = v
	case SettingQPACKBlockedStreams:
		s.QPACKBlockedStreams = v
	case SettingEnableConnectProtocol:
		// RFC 9220, Section 3, and RFC 8441, Section 3.
		if v > 1 {
			return true, &ConnError{SettingsError, "SETTINGS_ENABLE_CONNECT_PROTOCOL is neither 0 nor 1"}
		}
		s.ExtendedConnect = v == 1
	case SettingDatagram:
		if v > 1 {
			return true, &ConnError{SettingsError, "SETTINGS_H3_DATAGRAM is neither 0 nor 1"}
		}
		s.Datagrams = s.Datagrams || v == 1
	case SettingDatagramDraft04:
		s.Datagrams = s.Datagrams || v == 1
	default:
		return false, nil
	}
	return true, nil
}
