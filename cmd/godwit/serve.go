package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/demo"
	"github.com/godwit-quic/godwit/http3"
	"github.com/godwit-quic/godwit/internal/devcert"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/webtransport"
)

// defaultListen is the address of servers unless they are told another.
const defaultListen = "localhost:4433"

// minRate is what a client has to send or take, in bytes a second, while it is waited
// for: less than any network that is of use.
const minRate = 240

type serveOptions struct {
	listen, cert, key, root string
}

func (a *app) serveCommand() *cobra.Command {
	var opts serveOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a demo over HTTP/3, and over HTTP/2 and HTTP/1.1 at the same port",
		Long: `Serve a demo over HTTP/3 on UDP, and over HTTP/2 and HTTP/1.1 on TCP at the same
port, which tell clients of HTTP/3. GET / is a page to try HTTP/3 and WebTransport
with in a browser; it lists the routes.

Without a certificate, one is made for localhost, 127.0.0.1 and ::1. It lasts for
13 days and for this run only; godwit cert makes one to keep. Its SHA-256 is printed
for clients that accept a certificate by its hash.

Sockets that a service manager like systemd has opened (LISTEN_FDS), of UDP and perhaps
TCP, take the place of --listen.

Pages of any origin may open WebTransport sessions: the demo has nothing that a page
should not see. Requests for a name that the certificate is not for are refused.

An interrupt or a hangup ends the server when it has finished what it is doing, but after 10
seconds at the latest; a second one ends it at once.`,
		Args: none,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.serve(cmd.Context(), &opts) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.listen, "listen", defaultListen, "`address` to listen on, TCP and UDP")
	flags.StringVar(&opts.cert, "cert", "", "PEM `file` with the certificate and its chain")
	flags.StringVar(&opts.key, "key", "", "PEM `file` with the certificate's key")
	flags.StringVar(&opts.root, "root", "", "`directory` to serve at /files/")
	return cmd
}

func (a *app) serve(ctx context.Context, opts *serveOptions) error {
	conf, hash, err := a.serverTLS(opts.cert, opts.key)
	if err != nil {
		return err
	}
	demoOpts := demo.Options{Root: opts.root}
	if a.checkServed(conf.Certificates[0].Leaf, opts.cert) {
		demoOpts.CertHash = hash
	}
	handler, err := demo.New(demoOpts)
	if err != nil {
		return err
	}
	handler = onlyNamed(conf.Certificates[0].Leaf, handler)
	srv := &http3.Server{
		Handler: handler, TLSConfig: conf, QUICConfig: a.quicConfig(), QUICTransportConfig: a.serverConfig(), Logger: a.logger(), MaxHandlers: demoHandlers,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MinReadRate: minRate, MinWriteRate: minRate,
	}
	webtransport.Enable(srv, nil)
	ln, at, err := a.listen(srv, opts.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "serving https://%s/\n", at)
	fmt.Fprintf(a.stdout, "certificate SHA-256 %s\n", hash)

	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	select {
	case err := <-served:
		return err
	case <-a.signals:
	case <-ctx.Done():
	}
	err = a.shutDown(srv)
	if serveErr := <-served; err == nil && !errors.Is(serveErr, http.ErrServerClosed) {
		err = serveErr
	}
	return err
}

// What the demo holds for its clients: a quarter of package quic's and http3's
// defaults or less, as it shares the machine with whatever else somebody tries it beside.
const (
	demoBuffered    = 32 << 20 // bytes
	demoConnections = 2800
	demoHandshakes  = 256
	demoRetries     = 64
	demoHandlers    = 1024
)

// serverConfig is transportConfig for the demo.
func (a *app) serverConfig() *quic.TransportConfig {
	conf := a.transportConfig()
	conf.MaxBufferedBytes, conf.MaxConnections = demoBuffered, demoConnections
	conf.MaxHandshakes, conf.RetryThreshold = demoHandshakes, demoRetries
	return conf
}

// checkServed reports whether browsers accept a certificate by its hash, and warns
// when that means that they do not accept it at all.
func (a *app) checkServed(leaf *x509.Certificate, path string) bool {
	invalid := devcert.CheckValid(leaf, time.Now())
	unpinnable := devcert.CheckPinnable(leaf, time.Now())
	switch {
	case invalid != nil:
		a.complain("no client will accept the certificate %s: %v (godwit cert renew renews those that godwit cert makes)", path, invalid)
	case unpinnable != nil && devcert.SelfSigned(leaf):
		a.complain("no browser will accept the certificate %s for WebTransport by its hash: %v (godwit cert make makes one)", path, unpinnable)
	}
	return unpinnable == nil
}

// errGraceOver is why a shutdown ends that has lasted long enough.
var errGraceOver = errors.New("no longer waiting for what is under way")

// shutDown lets requests finish, unless they take too long or another signal
// comes.
func (a *app) shutDown(srv *http3.Server) error {
	a.complain("finishing what is under way; interrupt again to end at once")
	ctx, cancel := a.interruptible(context.Background())
	defer cancel()
	ctx, cancelGrace := context.WithTimeoutCause(ctx, a.grace, errGraceOver)
	defer cancelGrace()
	err := srv.Shutdown(ctx)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if err != nil {
		_ = srv.Close() // why it was needed says more than how it went
	}
	if errors.Is(err, errGraceOver) {
		a.complain("%v", err)
		return nil // the server was asked to end, and has
	}
	return err
}

// displayAddr returns what clients on this machine connect to: the host as it was
// given, localhost if that is every address, and the port listened on.
func displayAddr(listen string, actual net.Addr) string {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "localhost"
	}
	_, port, err := net.SplitHostPort(actual.String())
	if err != nil {
		return actual.String()
	}
	return net.JoinHostPort(host, port)
}

// explainListen adds what to do about an address that cannot be listened on.
func explainListen(err error) error {
	op := (*net.OpError)(nil)
	switch {
	case errors.As(err, &op) && op.Net != "tcp" && op.Addr != nil:
		return fmt.Errorf("%w; --listen sets the address", err) // package udp tells the remedy
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w (something else is listening there; choose another address with --listen)", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w (no interface of this machine has this address; choose another with --listen)", err)
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w (ports below 1024 may need privileges; choose another with --listen)", err)
	}
	return explainAddress(err)
}
