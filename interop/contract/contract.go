// Package contract is what the QUIC Interop Runner asks of an endpoint, whatever
// implementation that is made with: environment in, exit status out, HTTP/0.9 over
// streams, and which sets of files WebTransport's cases move.
//
// The contract is https://github.com/quic-interop/quic-interop-runner, quic.md and
// webtransport.md.
package contract

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// The values of ROLE.
const (
	Server = "server"
	Client = "client"
)

// ErrUnsupported is the error of an endpoint for a case that it does not know: the
// process ends with status 127, and the runner counts the case as unsupported.
var ErrUnsupported = errors.New("unsupported test case")

const (
	statusFailed      = 1
	statusUnsupported = 127
)

// Environment is what the runner tells an endpoint.
type Environment struct {
	Role      string
	TestCase  string
	Requests  []*url.URL // of a client
	Wanted    []string   // of a server of WebTransport: paths that it asks the client for
	Protocols []string   // WebTransport's subprotocols; none in QUIC's cases

	// Where files are. The contract has /www, /downloads and /certs, and nothing to say
	// otherwise; WWW, DOWNLOADS and CERTS are for runs without containers.
	WWW, Downloads, Certs string
	// Address is where a server listens: port 443 of all addresses, or what ADDRESS says.
	Address string

	KeyLog string // SSLKEYLOGFILE: a file for secrets, or none
	QLog   string // QLOGDIR: a directory for qlog, or none
}

// WebTransport reports whether the case is one of WebTransport's, whose names are those
// of QUIC's: only they come with PROTOCOLS.
func (e *Environment) WebTransport() bool { return len(e.Protocols) > 0 }

// Read reads the environment.
func Read(getenv func(string) string) (*Environment, error) {
	or := func(name, otherwise string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	e := &Environment{
		Role:      getenv("ROLE"),
		TestCase:  getenv("TESTCASE"),
		Protocols: strings.Fields(strings.Trim(getenv("PROTOCOLS"), `"`)),
		WWW:       or("WWW", "/www"),
		Downloads: or("DOWNLOADS", "/downloads"),
		Certs:     or("CERTS", "/certs"),
		Address:   or("ADDRESS", ":443"),
		KeyLog:    getenv("SSLKEYLOGFILE"),
		QLog:      getenv("QLOGDIR"),
	}
	requests := strings.Fields(getenv("REQUESTS"))
	switch e.Role {
	case Server:
		e.Wanted = requests
		return e, nil
	case Client:
	default:
		return nil, fmt.Errorf("ROLE is %q, neither %q nor %q", e.Role, Server, Client)
	}
	for _, r := range requests {
		u, err := url.Parse(r)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("REQUESTS has %q, which is no https URL", r)
		}
		e.Requests = append(e.Requests, u)
	}
	if len(e.Requests) == 0 {
		return nil, errors.New("REQUESTS is empty")
	}
	return e, nil
}

// Source returns the file to serve for a request's path: one below WWW, wherever
// the path's dots may lead.
func (e *Environment) Source(name string) string {
	return filepath.Join(e.WWW, filepath.FromSlash(path.Clean("/"+name)))
}

// Create creates the file below Downloads that has a request's path.
func (e *Environment) Create(name string) (*os.File, error) {
	file := filepath.Join(e.Downloads, filepath.FromSlash(path.Clean("/"+name)))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return nil, err
	}
	return os.Create(file)
}

// Endpoint is an implementation's server and client. A server returns when ctx ends,
// which is no error then.
type Endpoint struct {
	Serve func(ctx context.Context, e *Environment) error
	Fetch func(ctx context.Context, e *Environment) error
}

// Main runs one of both, as the environment says, and ends the process. SIGTERM and
// SIGINT end the context.
func Main(p Endpoint) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	err := p.run(ctx)
	stop()
	switch {
	case errors.Is(err, ErrUnsupported):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(statusUnsupported)
	case err != nil:
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(statusFailed)
	}
	os.Exit(0)
}

func (p Endpoint) run(ctx context.Context) error {
	e, err := Read(os.Getenv)
	if err != nil {
		return err
	}
	if e.Role == Client {
		return p.Fetch(ctx, e)
	}
	if err := p.Serve(ctx, e); ctx.Err() == nil || errors.Is(err, ErrUnsupported) {
		return err
	}
	return nil
}
