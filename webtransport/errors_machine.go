package webtransport

import (
	"errors"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wt"
)

// publicError turns an error of the machine's into this package's.
func publicError(err error) error {
	var closed *wt.SessionError
	var violation *h3.StreamError
	var connection *h3.ConnError
	switch {
	case errors.As(err, &closed):
		return &SessionError{Code: closed.Code, Reason: closed.Reason, Remote: closed.Remote}
	case errors.As(err, &violation):
		return &http3.Error{Code: violation.Code, Reason: err.Error()}
	case errors.As(err, &connection):
		return &http3.Error{Code: connection.Code, WholeConn: true, Reason: connection.Reason}
	case err == wt.ErrNoDatagrams:
		return http3.ErrDatagramsDisabled
	}
	return err
}
