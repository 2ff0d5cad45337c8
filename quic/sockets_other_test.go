//go:build !unix

package quic

import "errors"

func reusePort(uintptr) error { return errors.ErrUnsupported }
