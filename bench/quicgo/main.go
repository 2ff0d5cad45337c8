// Command quicgo speaks the QUIC performance protocol with quic-go, for
// comparison with `godwit perf`:
//
//	quicgo serve ADDR
//	quicgo run ADDR BYTES
//
// Both sides get windows of 16 MiB. run downloads BYTES on one stream of one
// connection and prints one JSON object; serve prints its address, and its
// CPU seconds when its standard input ends.
package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/quic-go/quic-go"
)

const (
	alpn   = "perf"
	window = 16 << 20
	piece  = 256 << 10
)

var config = &quic.Config{
	InitialStreamReceiveWindow: window, MaxStreamReceiveWindow: window,
	InitialConnectionReceiveWindow: window, MaxConnectionReceiveWindow: window,
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "quicgo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 2 && args[0] == "serve":
		return serve(args[1])
	case len(args) == 3 && args[0] == "run":
		n, err := strconv.ParseUint(args[2], 10, 64)
		if err != nil {
			return err
		}
		return download(args[1], n)
	}
	return fmt.Errorf("usage: quicgo serve ADDR | quicgo run ADDR BYTES")
}

func serve(addr string) error {
	cert, err := certificate()
	if err != nil {
		return err
	}
	ln, err := quic.ListenAddr(addr, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{alpn}}, config)
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go func() {
		for {
			conn, err := ln.Accept(context.Background())
			if err != nil {
				return
			}
			go serveConn(conn)
		}
	}()
	_, _ = bufio.NewReader(os.Stdin).ReadString(0) // until the parent closes it
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{"cpu_s": cpuSeconds()})
}

func serveConn(conn *quic.Conn) {
	for {
		s, err := conn.AcceptStream(context.Background())
		if err != nil {
			return
		}
		go serveStream(s)
	}
}

func serveStream(s *quic.Stream) {
	var head [8]byte
	if _, err := io.ReadFull(s, head[:]); err != nil {
		return
	}
	if _, err := io.Copy(io.Discard, s); err != nil {
		return
	}
	b := make([]byte, piece)
	for left := binary.BigEndian.Uint64(head[:]); left > 0; {
		n, err := s.Write(b[:min(left, piece)])
		if err != nil {
			return
		}
		left -= uint64(n)
	}
	_ = s.Close()
}

func download(addr string, count uint64) error {
	conn, err := quic.DialAddr(context.Background(), addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{alpn}}, config)
	if err != nil {
		return err
	}
	start := time.Now()
	s, err := conn.OpenStream()
	if err != nil {
		return err
	}
	if _, err := s.Write(binary.BigEndian.AppendUint64(nil, count)); err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	got, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{s}, make([]byte, piece))
	if err != nil || uint64(got) != count {
		return fmt.Errorf("got %d of %d bytes: %w", got, count, err)
	}
	seconds := time.Since(start).Seconds()
	_ = conn.CloseWithError(0, "")
	return json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"gbps": float64(got) * 8 / seconds / 1e9, "seconds": seconds, "bytes": float64(got), "cpu_s": cpuSeconds(),
	})
}

// cpuSeconds returns the CPU time this process used so far.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func certificate() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	t := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, t, t, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}
