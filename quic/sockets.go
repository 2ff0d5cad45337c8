package quic

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/hosted"
	"github.com/godwit-quic/godwit/internal/udp"
)

// openSockets opens a transport's sockets, or takes those that it is given. host is as
// openTransport has it.
func (tc *TransportConfig) openSockets(addr string, host *hosted.Loop) (*udp.Group, *heritage, error) {
	n, conf := max(tc.Loops, 1), tc.udp()
	if host != nil {
		n, conf.Bell = 1, host.Bell
	}
	var group *udp.Group
	var err error
	switch given := len(tc.Sockets); {
	case addr != "" && (given > 0 || tc.Predecessor != nil):
		err = fmt.Errorf("quic: an address to open, %s, and TransportConfig.Sockets or Predecessor, whose are open", addr)
	case tc.Predecessor != nil:
		return tc.inherit(conf)
	case given > 0:
		group, err = udp.UseGroup(tc.Sockets, connid.Filter(tc.connectionIDs(), given), conf)
	default:
		group, err = udp.ListenGroup(cmp.Or(addr, ":0"), n, connid.Filter(tc.connectionIDs(), n), conf)
	}
	return group, tc.newHeritage(), err
}

// giveUp closes the sockets that the configuration came with, as what they were for has
// failed for the reason that it returns.
func (tc *TransportConfig) giveUp(err error) error {
	for _, s := range tc.orDefault().Sockets {
		if s != nil {
			_ = s.Close() // those that had been taken over are closed already
		}
	}
	return err
}

// checkSockets refuses sockets that cannot serve.
func (tc *TransportConfig) checkSockets() error {
	for i, s := range tc.Sockets {
		if s == nil {
			return fmt.Errorf("quic: TransportConfig.Sockets: number %d is nil", i)
		}
	}
	if n := len(tc.Sockets); n > connid.MaxShards || n > 0 && tc.Loops != 0 && tc.Loops != n {
		return fmt.Errorf("quic: TransportConfig.Sockets: %d, not one for each of TransportConfig.Loops, which are %d", n, tc.Loops)
	}
	if len(tc.Sockets) > 0 && tc.Control != nil {
		return errors.New("quic: TransportConfig.Control is for sockets that are opened, not for TransportConfig.Sockets")
	}
	if tc.Predecessor != nil && (len(tc.Sockets) > 0 || tc.Control != nil) {
		return errors.New("quic: TransportConfig.Predecessor has sockets, so that there is no use for Sockets and Control")
	}
	return nil
}
