// Package wire encodes and decodes what QUIC puts on the wire: variable-length
// integers, packet headers, frames and transport parameters. It keeps no state.
//
// AppendX functions append to a slice and return it. ConsumeX functions read
// from the beginning of a slice, fill in the value they are given and return
// the number of bytes they used, or -1 when those bytes are truncated or break
// a rule that needs no context to check; what the value holds then is
// unspecified. Nothing here panics on input from the network or allocates by a
// length found in it: byte slices in parsed values alias the input.
//
// A receiver walks the frames of a packet like this:
//
//	for len(b) > 0 {
//		t, n := wire.ConsumeFrameType(b)
//		if n < 0 || !wire.AllowedIn(t, wire.OneRTTPacket) {
//			return wire.ProtocolViolation
//		}
//		b = b[n:]
//		switch t {
//		case wire.FrameResetStream:
//			var f wire.ResetStream
//			n = wire.ConsumeResetStream(b, &f)
//			…
//		}
//		if n < 0 {
//			return wire.FrameEncodingError
//		}
//		b = b[n:]
//	}
//
// All functions may be called concurrently as long as they are given different
// destinations.
package wire
