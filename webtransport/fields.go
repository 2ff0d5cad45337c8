package webtransport

import (
	"errors"
	"net/http"
)

// errContentFields is why a request or a response opens no session.
var errContentFields = errors.New("webtransport: Content-Length or Content-Type, which messages with capsules must not have")

// contentFields are the fields of content that is no capsules. There is no Transfer-Encoding
// in HTTP/3.
var contentFields = [...]string{"Content-Length", "Content-Type"}

// checkFields refuses the header of a message that has them (RFC 9297, Section 3.2).
func checkFields(h http.Header) error {
	for _, name := range contentFields {
		if len(h[name]) > 0 {
			return errContentFields
		}
	}
	return nil
}
