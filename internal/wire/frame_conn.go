package wire

import "encoding/binary"

// AppendPing appends a PING frame (RFC 9000, Section 19.2).
func AppendPing(b []byte) []byte { return append(b, byte(FramePing)) }

// AppendHandshakeDone appends a HANDSHAKE_DONE frame (RFC 9000, Section 19.20).
func AppendHandshakeDone(b []byte) []byte { return append(b, byte(FrameHandshakeDone)) }

// AppendPadding appends n PADDING frames (RFC 9000, Section 19.1).
func AppendPadding(b []byte, n int) []byte {
	return append(b, make([]byte, n)...)
}

// ConsumePadding returns the number of PADDING frames' bytes at the beginning
// of b, zero when there are none.
func ConsumePadding(b []byte) (n int) {
	// Mostly there is a lot of it, or none.
	for len(b)-n >= 8 && binary.NativeEndian.Uint64(b[n:]) == 0 {
		n += 8
	}
	for n < len(b) && b[n] == byte(FramePadding) {
		n++
	}
	return n
}

// Crypto is a CRYPTO frame (RFC 9000, Section 19.6).
type Crypto struct {
	Offset uint64 // of Data in the space's stream of handshake bytes
	Data   []byte // aliases the packet
}

// ConsumeCrypto reads a CRYPTO frame. Data that would go beyond MaxVarint makes
// it invalid.
func ConsumeCrypto(b []byte, f *Crypto) int {
	r := reader{b: b}
	f.Offset = r.varint()
	f.Data = r.bytes(r.varint())
	r.check(f.Offset+uint64(len(f.Data)) <= MaxVarint)
	return r.off
}

// AppendCrypto appends f.
func AppendCrypto(b []byte, f Crypto) []byte {
	return append(AppendCryptoHeader(b, f.Offset, len(f.Data)), f.Data...)
}

// AppendCryptoHeader appends everything of a CRYPTO frame but its data, of
// which the caller appends length bytes.
func AppendCryptoHeader(b []byte, off uint64, length int) []byte {
	b = append(b, byte(FrameCrypto))
	b = AppendVarint(b, off)
	return AppendVarint(b, uint64(length))
}

// SizeCryptoHeader returns the number of bytes that AppendCryptoHeader appends.
func SizeCryptoHeader(off uint64, length int) int {
	return 1 + SizeVarint(off) + SizeVarint(uint64(length))
}

// NewToken is a NEW_TOKEN frame (RFC 9000, Section 19.7).
type NewToken struct {
	Token []byte // aliases the packet; never empty
}

// ConsumeNewToken reads a NEW_TOKEN frame. An empty token makes it invalid.
func ConsumeNewToken(b []byte, f *NewToken) int {
	r := reader{b: b}
	f.Token = r.bytes(r.varint())
	r.check(len(f.Token) > 0)
	return r.off
}

// AppendNewToken appends f.
func AppendNewToken(b []byte, f NewToken) []byte {
	b = append(b, byte(FrameNewToken))
	b = AppendVarint(b, uint64(len(f.Token)))
	return append(b, f.Token...)
}

// ConnectionClose is a CONNECTION_CLOSE frame (RFC 9000, Section 19.19).
type ConnectionClose struct {
	App       bool      // Code is the application's, not a transport ErrorCode
	Code      uint64    // error code
	FrameType FrameType // what caused the error, 0 when unknown; unused with App
	Reason    []byte    // aliases the packet; meant for people
}

// ConsumeConnectionClose reads a CONNECTION_CLOSE frame whose type is t.
func ConsumeConnectionClose(t FrameType, b []byte, f *ConnectionClose) int {
	r := reader{b: b}
	f.App = t == FrameConnectionCloseApp
	f.Code = r.varint()
	f.FrameType = 0
	if !f.App {
		f.FrameType = FrameType(r.varint())
	}
	f.Reason = r.bytes(r.varint())
	return r.off
}

// AppendConnectionClose appends f.
func AppendConnectionClose(b []byte, f ConnectionClose) []byte {
	if f.App {
		b = append(b, byte(FrameConnectionCloseApp))
		b = AppendVarint(b, f.Code)
	} else {
		b = append(b, byte(FrameConnectionClose))
		b = AppendVarint(b, f.Code)
		b = AppendVarint(b, uint64(f.FrameType))
	}
	b = AppendVarint(b, uint64(len(f.Reason)))
	return append(b, f.Reason...)
}

// Datagram is a DATAGRAM frame (RFC 9221, Section 4).
type Datagram struct {
	Data []byte // aliases the packet; may be empty
}

// ConsumeDatagram reads a DATAGRAM frame whose type is t.
func ConsumeDatagram(t FrameType, b []byte, f *Datagram) int {
	r := reader{b: b}
	if t == FrameDatagramLen {
		f.Data = r.bytes(r.varint())
	} else {
		f.Data = r.rest()
	}
	return r.off
}

// AppendDatagramHeader appends everything of a DATAGRAM frame but its data, of
// which the caller appends length bytes.
func AppendDatagramHeader(b []byte, length int) []byte {
	return AppendVarint(append(b, byte(FrameDatagramLen)), uint64(length))
}

// AppendDatagram appends f with an explicit length.
func AppendDatagram(b []byte, f Datagram) []byte {
	return append(AppendDatagramHeader(b, len(f.Data)), f.Data...)
}
