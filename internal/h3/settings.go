package h3

import (
	"slices"

	"github.com/godwit-quic/godwit/internal/wire"
)

// SettingID identifies a setting (RFC 9114, Section 7.2.4.1).
type SettingID uint64

// The settings of RFC 9114 and RFC 9204.
const (
	SettingQPACKMaxTableCapacity SettingID = 0x01
	SettingMaxFieldSectionSize   SettingID = 0x06
	SettingQPACKBlockedStreams   SettingID = 0x07
)

// isHTTP2 reports whether id is a setting of HTTP/2 without a counterpart, which
// must not be sent (RFC 9114, Sections 7.2.4.1 and 11.2.2).
func (id SettingID) isHTTP2() bool {
	return id == 0x00 || (id >= 0x02 && id <= 0x05)
}

// Settings are what one end tells the other in its SETTINGS frame. Settings that
// this package does not know are not kept.
type Settings struct {
	// MaxFieldSectionSize is the largest header or trailer section its sender
	// accepts, in bytes as qpack.Field.Size counts them; 0 when there is none.
	MaxFieldSectionSize uint64
	// QPACKMaxTableCapacity is the largest dynamic table its sender keeps for
	// the other end's encoder, in bytes.
	QPACKMaxTableCapacity uint64
	// QPACKBlockedStreams is how many streams the other end's encoder may block.
	QPACKBlockedStreams uint64
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

// parseSettings reads the payload of a SETTINGS frame.
func parseSettings(b []byte) (Settings, error) {
	var s Settings
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
		switch SettingID(id) {
		case SettingMaxFieldSectionSize:
			s.MaxFieldSectionSize = v
		case SettingQPACKMaxTableCapacity:
			s.QPACKMaxTableCapacity = v
		case SettingQPACKBlockedStreams:
			s.QPACKBlockedStreams = v
		}
	}
	return s, nil
}
