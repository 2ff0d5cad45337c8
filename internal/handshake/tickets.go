package handshake

import (
	"crypto/tls"
	"fmt"
)

// The types of messages that a server of TLS may send after the handshake (RFC 8446,
// Section 4). A KeyUpdate is not for QUIC, and a request for a certificate neither
// (RFC 9001, Sections 4.4 and 6).
const (
	newSessionTicket   = 4
	certificateRequest = 13
)

// What is no ticket.
var (
	errAfterEnd           = fmt.Errorf("handshake: message after the end: %w", tls.AlertError(alertUnexpectedMessage))
	errCertificateRequest = fmt.Errorf("handshake: request for a certificate after the end: %w", tls.AlertError(alertUnexpectedMessage))
)

// messageHeader is the length of a message's type and length (RFC 8446, Section 4).
const messageHeader = 4

// skipTickets takes bytes of NewSessionTicket messages that nobody wants, in pieces
// of any size. The error says that one is something else.
func (c *Conn) skipTickets(data []byte) error {
	for len(data) > 0 {
		switch {
		case c.ticketHeader == messageHeader:
			n := min(len(data), int(c.ticketLeft))
			data, c.ticketLeft = data[n:], c.ticketLeft-uint32(n)
			if c.ticketLeft == 0 {
				c.ticketHeader = 0
			}
			continue
		case c.ticketHeader > 0:
			c.ticketLeft = c.ticketLeft<<8 | uint32(data[0])
		case data[0] == certificateRequest:
			return errCertificateRequest
		case data[0] != newSessionTicket:
			return errAfterEnd
		}
		c.ticketHeader++
		data = data[1:]
	}
	return nil
}
