package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/quic"
)

// What a service manager hands over begins with descriptor 3 (sd_listen_fds). No unit has so
// many sockets as maxInherited.
const (
	firstInherited = 3
	maxInherited   = 1024
)

// listen listens at an address, or on the sockets that a service manager has opened, and
// returns what clients on this machine connect to.
func (a *app) listen(srv *http3.Server, addr string) (ln *http3.Listener, at string, err error) {
	files, err := a.inherited()
	if err != nil {
		return nil, "", err
	}
	if len(files) == 0 {
		if ln, err = srv.ListenAll(addr); err != nil {
			return nil, "", explainListen(err)
		}
		return ln, displayAddr(addr, ln.Addr()), nil
	}
	tcp, udp, err := openInherited(files)
	if err != nil {
		return nil, "", err
	}
	var configs []*quic.TransportConfig
	for _, group := range udp {
		conf := *srv.QUICTransportConfig
		conf.Sockets = group
		configs = append(configs, &conf)
	}
	if ln, err = srv.ListenSockets(tcp, configs); err != nil {
		return nil, "", err
	}
	return ln, displayAddr(ln.Addr().String(), ln.Addr()), nil
}

// inherited returns the descriptors that a service manager has opened for this process.
func (a *app) inherited() (files []*os.File, err error) {
	if a.getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil // those of an ancestor, or none
	}
	n, err := strconv.Atoi(a.getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > maxInherited {
		return nil, fmt.Errorf("LISTEN_FDS is %q, which is no number of sockets", a.getenv("LISTEN_FDS"))
	}
	for fd := range n {
		files = append(files, os.NewFile(uintptr(firstInherited+fd), "inherited"))
	}
	return files, nil
}

// openInherited makes sockets of descriptors, which it closes: listeners, and the packet
// sockets of each address.
func openInherited(files []*os.File) (tcp []net.Listener, udp [][]net.PacketConn, err error) {
	at := make(map[string]int) // in udp
	for i, f := range files {
		packets, listener, openErr := openSocket(f)
		switch {
		case packets != nil:
			addr := packets.LocalAddr().String()
			group, ok := at[addr]
			if !ok {
				group = len(udp)
				at[addr], udp = group, append(udp, nil)
			}
			udp[group] = append(udp[group], packets)
		case listener != nil:
			tcp = append(tcp, listener)
		default:
			err = errors.Join(err, fmt.Errorf("descriptor %d of LISTEN_FDS is no socket to listen on: %w", firstInherited+i, openErr))
		}
	}
	if err == nil && len(udp) == 0 {
		err = errors.New("LISTEN_FDS has no UDP socket: add ListenDatagram= to the socket unit")
	}
	if err != nil {
		closeInherited(tcp, udp)
		return nil, nil, err
	}
	return tcp, udp, nil
}

// openSocket makes one of a descriptor, which it closes.
func openSocket(f *os.File) (net.PacketConn, net.Listener, error) {
	defer f.Close()
	packets, err := net.FilePacketConn(f)
	if err == nil && packets.LocalAddr().Network() != "unix" {
		return packets, nil, nil
	}
	if err == nil {
		_ = packets.Close() // it is a listener's, which package net cannot tell
	}
	listener, err := net.FileListener(f)
	return nil, listener, err
}

func closeInherited(tcp []net.Listener, udp [][]net.PacketConn) {
	for _, ln := range tcp {
		_ = ln.Close()
	}
	for _, group := range udp {
		for _, c := range group {
			_ = c.Close()
		}
	}
}
