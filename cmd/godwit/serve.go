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
	"golang.org/x/term"

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
	siteOptions
	listen      string
	certs, keys []string
	fleetKeys   string
}

func (a *app) serveCommand() *cobra.Command {
	var opts serveOptions
	cmd := &cobra.Command{
		Use:   "serve [DIR | NAME=DIR]...",
		Short: "Serve a directory, or a demo, over HTTP/3, HTTP/2 and HTTP/1.1 at the same port",
		Long: `Serve a directory, or several of them by the names that requests are for, over HTTP/3
on UDP, and over HTTP/2 and HTTP/1.1 on TCP at the same port, which tell clients of
HTTP/3. Without a directory it is a demo: GET / is a page to try HTTP/3 and WebTransport
with in a browser, and lists the routes. With --demo it is both.

Of a directory, what begins with a dot is not served (but /.well-known/), nor is anything
that a link outside of it leads to. FILE.br, FILE.zst and FILE.gz are sent for FILE to
clients that take them, and text is compressed for others. A directory's page is its
index.html, and that of what is not there is /404.html.

Without --cert, a certificate is made for localhost, 127.0.0.1 and ::1, or for the names of
directories. It lasts for 13 days, is kept in the user's cache directory, and made anew in
time; godwit cert makes others. Its SHA-256 is printed for clients that accept a
certificate by its hash. --cert and --key may be given several times: clients get the one
that is for the name they ask for. Files that change are read again within seconds, and on
a hangup (SIGHUP) at once.

Servers that clients take for one share a file of secrets, --fleet-keys, and so does one
with itself before a restart: a line of 64 or more hexadecimal digits for each secret, such as
openssl rand -hex 32 prints, the newest first. What comes of them are the keys of session
tickets, address validation tokens and stateless resets.

Sockets that a service manager like systemd has opened (LISTEN_FDS), of UDP and perhaps
TCP, take the place of --listen.

Pages of any origin may open WebTransport sessions with the demo: it has nothing that a
page should not see. Requests for a name that no certificate is for are refused.

An interrupt ends the server when it has finished what it is doing, but after 10 seconds
at the latest; a second one ends it at once. So does a hangup of its terminal.`,
		Example: `  godwit serve
  godwit serve public
  godwit serve --listen :443 --cert cert.pem --key key.pem --log json dist --spa --immutable /assets/
  godwit serve --listen :443 example.org=site docs.example.org=docs`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := opts.usable(cmd.Flags(), args); err != nil {
				return &exitError{exitUsage, err}
			}
			return a.serve(cmd.Context(), args, &opts)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.listen, "listen", defaultListen, "`address` to listen on, TCP and UDP")
	flags.StringArrayVar(&opts.certs, "cert", nil, "PEM `file` with a certificate and its chain")
	flags.StringVar(&opts.fleetKeys, "fleet-keys", "", "`file` of the secrets that servers share")
	flags.StringArrayVar(&opts.keys, "key", nil, "PEM `file` with the certificate's key")
	opts.addFlags(flags)
	return cmd
}

func (a *app) serve(ctx context.Context, args []string, opts *serveOptions) error {
	dirs, err := parseDirs(args)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	certs, err := a.certificates(opts.certs, opts.keys, ownHosts(dirs))
	if err != nil {
		return err
	}
	handler, sites, err := a.handler(dirs, certs, opts)
	if err != nil {
		return err
	}
	defer sites.close()
	srv := &http3.Server{
		Handler: handler, TLSConfig: certs.config(), QUICConfig: a.quicConfig(), QUICTransportConfig: a.serverConfig(), Logger: a.logger(), MaxHandlers: demoHandlers,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MinReadRate: minRate, MinWriteRate: minRate,
	}
	if err := shareKeys(srv, opts.fleetKeys); err != nil {
		return err
	}
	if len(dirs) == 0 || opts.demo {
		webtransport.Enable(srv, nil)
	}
	ln, at, err := a.listen(srv, opts.listen)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "serving https://%s/\n", at)
	fmt.Fprintf(a.stdout, "certificate SHA-256 %s\n", certs.hash())

	served := make(chan error, 1)
	go func() { served <- ln.Serve() }()
	if err, ended := a.untilEnd(ctx, certs, served); ended {
		return err
	}
	err = a.shutDown(srv)
	if serveErr := <-served; err == nil && !errors.Is(serveErr, http.ErrServerClosed) {
		err = serveErr
	}
	return err
}

// untilEnd returns when the server is to end, or has ended by itself with an error, and
// until then has certificates reloaded.
func (a *app) untilEnd(ctx context.Context, certs *certificates, served <-chan error) (err error, ended bool) {
	watching, stop := context.WithCancel(ctx)
	hangups, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		certs.watch(watching, certCheck, hangups)
	}()
	defer func() { stop(); <-done }()
	for {
		select {
		case err := <-served:
			return err, true
		case sig := <-a.signals:
			if sig != syscall.SIGHUP || a.atTerminal() {
				return nil, false
			}
			hangups <- struct{}{}
		case <-ctx.Done():
			return nil, false
		}
	}
}

// atTerminal reports whether a hangup is that of a terminal, whose programs end with it.
func (a *app) atTerminal() bool {
	f, ok := a.stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// ownHosts returns the hosts of a certificate of the server's own making, nil for
// localhost.
func ownHosts(dirs []served) (hosts []string) {
	for _, d := range dirs {
		if d.host != "" {
			hosts = append(hosts, d.host)
		}
	}
	if len(hosts) > 0 {
		hosts = append(hosts, "localhost", "127.0.0.1", "::1")
	}
	return hosts
}

// handler returns what answers requests: directories, the demo, or both.
func (a *app) handler(dirs []served, certs *certificates, opts *serveOptions) (http.Handler, *sites, error) {
	path := ""
	if len(opts.certs) > 0 {
		path = opts.certs[0]
	}
	withDemo := len(dirs) == 0 || opts.demo
	pinnable := a.checkServed(certs.leaves()[0], path, withDemo)
	demoOpts := demo.Options{Version: version()}
	if pinnable {
		demoOpts.CertHash = certs.hash
	}
	var files *sites
	var handler http.Handler
	if len(dirs) > 0 {
		var err error
		if files, err = a.sites(dirs, &opts.siteOptions); err != nil {
			return nil, nil, err
		}
		demoOpts.Site, handler = files, files
	}
	if withDemo {
		handler = demo.New(demoOpts)
	}
	return a.accessLog(opts.log, onlyNamed(certs.leaves, handler)), files, nil
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
// when that means that they do not accept it at all, or not for sessions, if there are any.
func (a *app) checkServed(leaf *x509.Certificate, path string, sessions bool) bool {
	invalid := devcert.CheckValid(leaf, time.Now())
	unpinnable := devcert.CheckPinnable(leaf, time.Now())
	switch {
	case invalid != nil:
		a.complain("no client will accept the certificate %s: %v (godwit cert renew renews those that godwit cert makes)", path, invalid)
	case unpinnable != nil && sessions && devcert.SelfSigned(leaf):
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
