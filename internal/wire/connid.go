package wire

import "encoding/hex"

// MaxConnectionIDLen is the number of bytes a connection ID may have in the
// versions known here (RFC 9000, Section 17.2).
const MaxConnectionIDLen = 20

// ConnectionID is a connection ID of 0 to 20 bytes. It is comparable; the zero
// value is the empty ID.
type ConnectionID struct {
	bytes [MaxConnectionIDLen]byte // zero beyond len
	len   uint8
}

// NewConnectionID copies b into a ConnectionID. It returns false when b is
// longer than MaxConnectionIDLen.
func NewConnectionID(b []byte) (ConnectionID, bool) {
	var c ConnectionID
	if len(b) > MaxConnectionIDLen {
		return c, false
	}
	c.len = uint8(copy(c.bytes[:], b))
	return c, true
}

// Bytes returns the ID's bytes, which belong to c.
func (c *ConnectionID) Bytes() []byte { return c.bytes[:c.len] }

// Len returns the number of bytes of the ID.
func (c ConnectionID) Len() int { return int(c.len) }

// String returns the ID in hexadecimal.
func (c ConnectionID) String() string { return hex.EncodeToString(c.Bytes()) }

// ResetToken is the secret by which a peer recognises a stateless reset
// (RFC 9000, Section 10.3).
type ResetToken [16]byte
