package handshake

import "golang.org/x/crypto/cryptobyte"

const (
	typeClientHello = 1    // RFC 8446, Section 4
	extEarlyData    = 42   // RFC 8446, Section 4.2.10
	extParameters   = 0x39 // quic_transport_parameters (RFC 9001, Section 8.2)
	// versionAndRandom is the length of what a hello begins with.
	versionAndRandom = 2 + 32
	// maxHello is the longest hello that is waited for, which is crypto/tls's limit for
	// any message.
	maxHello = 64 << 10
)

// firstHello is a client's hello, as far as it has come.
type firstHello struct {
	data   []byte
	whole  bool
	params []byte // in data, once that is whole
	early  bool   // early data follows
}

// scanHello finds the client's transport parameters in b, the first bytes of its
// ClientHello (RFC 8446, Section 4.1.2), and whether it says that early data follows. It
// returns false while more must come. In what is malformed there is nothing, and
// crypto/tls says what is wrong with it.
//
// The version of QUIC, on which the server's parameters and sessions depend, follows
// from them, and crypto/tls tells of them only after it has looked for a session, or,
// if it asks for another key share, with the second hello.
func scanHello(b []byte) (params []byte, early, whole bool) {
	s := cryptobyte.String(b)
	var (
		kind                                            uint8
		size                                            uint32
		hello, session, suites, compression, extensions cryptobyte.String
	)
	switch {
	case !s.ReadUint8(&kind):
		return nil, false, false
	case kind != typeClientHello:
		return nil, false, true
	case !s.ReadUint24(&size):
		return nil, false, false
	case size > maxHello:
		return nil, false, true
	case !s.ReadBytes((*[]byte)(&hello), int(size)):
		return nil, false, false
	}
	if !hello.Skip(versionAndRandom) || !hello.ReadUint8LengthPrefixed(&session) ||
		!hello.ReadUint16LengthPrefixed(&suites) || !hello.ReadUint8LengthPrefixed(&compression) ||
		!hello.ReadUint16LengthPrefixed(&extensions) {
		return nil, false, true
	}
	for !extensions.Empty() {
		var id uint16
		var value cryptobyte.String
		if !extensions.ReadUint16(&id) || !extensions.ReadUint16LengthPrefixed(&value) {
			return nil, false, true
		}
		switch id {
		case extParameters:
			if params == nil {
				params = value
			}
		case extEarlyData:
			early = true
		}
	}
	return params, early, true
}
