package quic

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godwit-quic/godwit/internal/wire"
)

// Version is a version of QUIC, by its number on the wire (RFC 9000, Section 15).
type Version uint32

// The versions that this package speaks. They differ in how packets look until the
// handshake is over, and in nothing that a connection can do.
const (
	Version1 Version = 0x00000001 // RFC 9000
	Version2 Version = 0x6b3343cf // RFC 9369
)

// String returns "v1", "v2" or the number in hexadecimal.
func (v Version) String() string { return wire.Version(v).String() }

// checkVersions refuses versions that nobody here speaks.
func (conf *Config) checkVersions() error {
	for i, v := range conf.Versions {
		if !wire.Version(v).Known() {
			return fmt.Errorf("quic: Config.Versions has one that is not known here: %v", v)
		}
		if slices.Contains(conf.Versions[:i], v) {
			return fmt.Errorf("quic: Config.Versions has %v twice", v)
		}
	}
	if v := conf.OriginalVersion; v != 0 && !wire.Version(v).Known() {
		return fmt.Errorf("quic: Config.OriginalVersion is not known here: %v", v)
	}
	if v := conf.OriginalVersion; v != 0 && len(conf.Versions) > 0 && !slices.Contains(conf.Versions, v) {
		return errors.New("quic: Config.OriginalVersion is not in Config.Versions")
	}
	return nil
}

// convertVersions returns versions as another package names them.
func convertVersions[To, From ~uint32](versions []From) []To {
	var out []To
	for _, v := range versions {
		out = append(out, To(v))
	}
	return out
}
