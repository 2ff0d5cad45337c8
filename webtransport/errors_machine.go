package webtransport

import (
	"errors"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/h3ext"
	"github.com/godwit-quic/godwit/internal/wt"
)

// publicError turns an error of the machine's into this package's.
func publicError(err error) error {
	var closed *wt.SessionError
	switch {
	case errors.As(err, &closed):
		return &SessionError{Code: closed.Code, Reason: closed.Reason, Remote: closed.Remote}
	case err == wt.ErrNoDatagrams:
		return http3.ErrDatagramsDisabled
	}
	return h3ext.HTTP3.Error(err)
}
