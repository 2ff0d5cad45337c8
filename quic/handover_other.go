//go:build !linux

package quic

import (
	"context"
	"errors"
	"net"

	"github.com/godwit-quic/godwit/internal/udp"
)

// HandOver leaves the transport's sockets to its successor. It is a matter of Linux:
// elsewhere the error is errors.ErrUnsupported.
func (t *Transport) HandOver(context.Context, *net.UnixConn) error { return errors.ErrUnsupported }

func (tc *TransportConfig) inherit(udp.Config) (*udp.Group, *heritage, error) {
	return nil, nil, errors.ErrUnsupported
}

func (t *Transport) takeOver(*net.UnixConn) error { return errors.ErrUnsupported }
