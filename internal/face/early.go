package face

import "crypto/tls"

// Early is the handshake of a connection that the application got before it was complete.
type Early struct {
	State    *tls.ConnectionState // as it was then
	Complete chan struct{}        // closed when the handshake is complete
	Accepted bool                 // the early data was; set before Complete is closed
}

// IsComplete reports whether the handshake is complete. The application gets a connection
// without early data, of which e is nil, only then. Any goroutine may call it.
func (e *Early) IsComplete() bool {
	if e == nil {
		return true
	}
	select {
	case <-e.Complete:
		return true
	default:
		return false
	}
}
