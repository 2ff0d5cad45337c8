package wire

import "fmt"

// ErrorCode is a transport error code (RFC 9000, Section 20.1).
type ErrorCode uint64

// The transport error codes. CryptoErrorBase plus a TLS alert is the error of
// a failed handshake (RFC 9001, Section 4.8).
const (
	NoError                 ErrorCode = 0x00
	InternalError           ErrorCode = 0x01
	ConnectionRefused       ErrorCode = 0x02
	FlowControlError        ErrorCode = 0x03
	StreamLimitError        ErrorCode = 0x04
	StreamStateError        ErrorCode = 0x05
	FinalSizeError          ErrorCode = 0x06
	FrameEncodingError      ErrorCode = 0x07
	TransportParameterError ErrorCode = 0x08
	ConnectionIDLimitError  ErrorCode = 0x09
	ProtocolViolation       ErrorCode = 0x0a
	InvalidToken            ErrorCode = 0x0b
	ApplicationError        ErrorCode = 0x0c
	CryptoBufferExceeded    ErrorCode = 0x0d
	KeyUpdateError          ErrorCode = 0x0e
	AEADLimitReached        ErrorCode = 0x0f
	NoViablePath            ErrorCode = 0x10
	VersionNegotiationError ErrorCode = 0x11 // RFC 9368, Section 10.2
	CryptoErrorBase         ErrorCode = 0x100
)

var errorNames = [...]string{
	NoError:                 "NO_ERROR",
	InternalError:           "INTERNAL_ERROR",
	ConnectionRefused:       "CONNECTION_REFUSED",
	FlowControlError:        "FLOW_CONTROL_ERROR",
	StreamLimitError:        "STREAM_LIMIT_ERROR",
	StreamStateError:        "STREAM_STATE_ERROR",
	FinalSizeError:          "FINAL_SIZE_ERROR",
	FrameEncodingError:      "FRAME_ENCODING_ERROR",
	TransportParameterError: "TRANSPORT_PARAMETER_ERROR",
	ConnectionIDLimitError:  "CONNECTION_ID_LIMIT_ERROR",
	ProtocolViolation:       "PROTOCOL_VIOLATION",
	InvalidToken:            "INVALID_TOKEN",
	ApplicationError:        "APPLICATION_ERROR",
	CryptoBufferExceeded:    "CRYPTO_BUFFER_EXCEEDED",
	KeyUpdateError:          "KEY_UPDATE_ERROR",
	AEADLimitReached:        "AEAD_LIMIT_REACHED",
	NoViablePath:            "NO_VIABLE_PATH",
	VersionNegotiationError: "VERSION_NEGOTIATION_ERROR",
}

// IsCrypto reports whether e carries a TLS alert, which is then e's low byte.
func (e ErrorCode) IsCrypto() bool { return e&^0xff == CryptoErrorBase }

// String returns the RFC's name of the error, or the number in hexadecimal
// when it has none.
func (e ErrorCode) String() string {
	if e < ErrorCode(len(errorNames)) {
		return errorNames[e]
	}
	if e.IsCrypto() {
		return fmt.Sprintf("CRYPTO_ERROR (TLS alert %d)", uint8(e))
	}
	return fmt.Sprintf("error 0x%x", uint64(e))
}
