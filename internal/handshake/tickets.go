package handshake

// newSessionTicket is the type of the messages that a server may send after the
// handshake (RFC 8446, Section 4). A KeyUpdate is not for QUIC, and a request for a
// certificate neither (RFC 9001, Sections 4.4 and 6).
const newSessionTicket = 4

// messageHeader is the length of a message's type and length (RFC 8446, Section 4).
const messageHeader = 4

// skipTickets takes bytes of NewSessionTicket messages that nobody wants, in pieces
// of any size. It reports false when one is something else.
func (c *Conn) skipTickets(data []byte) bool {
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
		case data[0] != newSessionTicket:
			return false
		}
		c.ticketHeader++
		data = data[1:]
	}
	return true
}
