package wire

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Version is a QUIC version number as found in long headers.
type Version uint32

// The versions this package knows the packet types of.
const (
	Version1 Version = 1          // RFC 9000
	Version2 Version = 0x6b3343cf // RFC 9369
)

// Known reports whether v is one of the versions above.
func (v Version) Known() bool { return v == Version1 || v == Version2 }

// ReservedVersion returns one of the versions 0x?a?a?a?a, which stand in lists so that
// whoever reads them passes over what he does not know, and are never chosen (RFC 9000,
// Section 6.3; RFC 9368, Section 3). The bits of random decide which.
func ReservedVersion(random uint32) Version { return Version(random&0xf0f0f0f0 | 0x0a0a0a0a) }

// Reserved reports whether v is one of the versions of ReservedVersion.
func (v Version) Reserved() bool { return v&0x0f0f0f0f == 0x0a0a0a0a }

// String returns "v1", "v2" or the number in hexadecimal.
func (v Version) String() string {
	switch v {
	case Version1:
		return "v1"
	case Version2:
		return "v2"
	}
	return fmt.Sprintf("0x%08x", uint32(v))
}

// VersionInformation is what each side says in the handshake of versions, so that
// nobody can have them use another than they would have agreed on (RFC 9368, Section 3).
type VersionInformation struct {
	// Chosen is the version that the sender uses: a client that of its first flight,
	// a server the negotiated one.
	Chosen Version
	// Available are, from a client, those that its first flight is compatible with,
	// the preferred ones first, with Chosen among them; from a server, those that all
	// servers of its deployment accept, in any order, perhaps none.
	Available []Version
}

const versionLen = 4

func appendVersionInformation(b []byte, v *VersionInformation) []byte {
	b = appendParam(b, paramVersionInformation, versionLen*(1+len(v.Available)))
	b = binary.BigEndian.AppendUint32(b, uint32(v.Chosen))
	for _, a := range v.Available {
		b = binary.BigEndian.AppendUint32(b, uint32(a))
	}
	return b
}

// parseVersionInformation returns false for what RFC 9368, Section 4, calls a parsing
// failure.
func parseVersionInformation(b []byte, from Side) (*VersionInformation, bool) {
	if len(b) == 0 || len(b)%versionLen != 0 {
		return nil, false
	}
	v := &VersionInformation{Chosen: Version(binary.BigEndian.Uint32(b))}
	b = b[versionLen:]
	if len(b) > 0 {
		v.Available = make([]Version, len(b)/versionLen)
	}
	for i := range v.Available {
		v.Available[i] = Version(binary.BigEndian.Uint32(b[versionLen*i:]))
	}
	if v.Chosen == 0 || slices.Contains(v.Available, 0) {
		return nil, false
	}
	return v, from == ServerSide || slices.Contains(v.Available, v.Chosen)
}
