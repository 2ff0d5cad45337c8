package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/load"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

type loadOptions struct {
	conns, streams, requests  int
	threads                   int
	duration, warmUp, timeout seconds
	active, inactive          seconds
	rate                      float64
	input, connectTo, compare string
	http1, http2, http3       bool
	json                      bool
	get                       getOptions // what it shares with get
}

func (a *app) loadCommand() *cobra.Command {
	var opts loadOptions
	cmd := &cobra.Command{
		Use:   "load URL",
		Short: "Measure how many requests a server answers",
		Long: `Send requests as fast as a server answers them, over HTTP/3 or, to compare, over
HTTP/2 or HTTP/1.1, and show how many it answered and how long it took. The flags
are h2load's, and so is what counts as failed: a status of 400 or more, or no answer.

Each connection has -m requests running at any time. The measurement ends after -n
requests or the time -D, or when it is interrupted. Whatever happens there is a summary.
Connections are made before it begins, or at a rate with -r.

With --compare, the result is compared with that of an earlier run, which --format json has
printed.`,
		Example: `  godwit load -k -c 10 -m 32 -D 10 https://localhost:4433/hello
  godwit load -k -n 100000 --http2 --format json https://localhost:4433/hello > before.json
  godwit load -k -n 100000 --compare before.json https://localhost:4433/hello`,
		Args: one("one URL, like https://localhost:4433/hello"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.load(cmd.Context(), args[0], &opts)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

func (o *loadOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVarP(&o.conns, "clients", "c", 1, "connections")
	flags.IntVarP(&o.streams, "max-concurrent-streams", "m", 1, "requests at a time on each connection")
	flags.IntVarP(&o.requests, "requests", "n", 0, "requests in all")
	flags.IntVarP(&o.threads, "threads", "t", 0, "processors to use; all unless given")
	flags.VarP(&o.duration, "duration", "D", "for how long, in seconds or as a duration like 1m30s")
	flags.Var(&o.warmUp, "warm-up-time", "send requests for so long before they count")
	flags.Float64VarP(&o.rate, "rate", "r", 0, "connections that begin in a second, instead of all at first")
	flags.StringVarP(&o.input, "input-file", "i", "", "`file` of URLs, one in a line, whose paths are requested in turn; - is standard input")
	flags.VarP(&o.active, "connection-active-timeout", "T", "use a connection for so many seconds at most")
	flags.VarP(&o.inactive, "connection-inactivity-timeout", "N", "use a connection no more on which nothing comes for so many seconds")
	flags.Var(&o.timeout, "timeout", "give up on a request after so many seconds")
	flags.StringVar(&o.connectTo, "connect-to", "", "connect to this `host:port` instead of the URL's")
	flags.StringVar(&o.compare, "compare", "", "`file` with the JSON of an earlier run to compare with")
	flags.BoolVar(&o.http1, "http1", false, "use HTTP/1.1")
	flags.BoolVar(&o.http1, "h1", false, "the same as --http1")
	flags.BoolVar(&o.http2, "http2", false, "use HTTP/2")
	flags.BoolVar(&o.http3, "http3", false, "use HTTP/3, the default")
	addFormatFlags(flags, &o.json, "print the result as `text|json`")
	flags.StringVarP(&o.get.method, "request", "X", "", "`method`, instead of GET, or POST with -d")
	flags.StringArrayVarP(&o.get.headers, "header", "H", nil, "request header `\"Name: value\"`")
	addDataFlag(flags, &o.get.data)
	flags.BoolVarP(&o.get.insecure, "insecure", "k", false, "accept every certificate")
	flags.StringVar(&o.get.cacert, "cacert", "", "PEM `file` with certificates to trust instead of the system's")
}

func (o *loadOptions) protocol() (load.Protocol, error) {
	chosen := load.HTTP3
	given := 0
	for protocol, flag := range map[load.Protocol]bool{load.HTTP1: o.http1, load.HTTP2: o.http2, load.HTTP3: o.http3} {
		if flag {
			chosen = protocol
			given++
		}
	}
	if given > 1 {
		return "", errors.New("--http1, --http2 and --http3 cannot be combined")
	}
	return chosen, nil
}

// load measures.
func (a *app) load(ctx context.Context, target string, opts *loadOptions) error {
	loadOpts, err := opts.options(a.stdin, target)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if loadOpts.TLS, err = a.clientTLS(opts.get.cacert, opts.get.insecure); err != nil {
		return err
	}
	loadOpts.QUIC, loadOpts.Transport = a.quicConfig(), a.transportConfig()
	var before *load.Before
	if opts.compare != "" {
		data, err := os.ReadFile(opts.compare)
		if err == nil {
			before, err = load.ParseBefore(data)
		}
		if err != nil {
			return fmt.Errorf("--compare %s: %w", opts.compare, err)
		}
	}
	if opts.threads > 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(opts.threads))
	}
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	done := a.showProgress(&loadOpts)
	result, err := load.Run(ctx, loadOpts)
	done()
	if result == nil {
		return err
	}
	if printErr := a.printLoad(result, before, opts.json); printErr != nil {
		return printErr
	}
	switch failed := result.Failed(); {
	case err != nil && context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case err != nil:
		return explain(err, "use --cacert FILE to trust the certificates in FILE, or -k to accept any")
	case failed > 0:
		return fmt.Errorf("%d requests failed", failed)
	}
	return nil
}

// printLoad prints a result, and how it differs from one before, if there is one.
func (a *app) printLoad(result *load.Result, before *load.Before, inJSON bool) error {
	if inJSON {
		return json.NewEncoder(terminal.JSON(a.stdout)).Encode(result)
	}
	text := result.String()
	if before != nil {
		text += result.Compare(before)
	}
	_, err := io.WriteString(a.stdout, terminal.Safe(layers.Replace(text)))
	return err
}

// showProgress shows on a terminal how far a measurement is, until the function that it
// returns is called.
func (a *app) showProgress(opts *load.Options) (done func()) {
	f, ok := a.stderr.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func() {}
	}
	opts.Progress = func(p load.Progress) { fmt.Fprint(f, "\r\x1b[K"+progressLine(p, opts)) }
	return func() { fmt.Fprint(f, "\r\x1b[K") }
}

// progressLine says how far a measurement is.
func progressLine(p load.Progress, opts *load.Options) string {
	rate := float64(p.Done) / max(p.Elapsed.Seconds(), 1e-3)
	line := fmt.Sprintf("%v  %d requests, %.0f/s, %d failed, %d connections", p.Elapsed.Round(100*time.Millisecond), p.Done, rate, p.Failed, p.Conns)
	switch {
	case opts.Requests > 0:
		line += fmt.Sprintf("  %d %%", min(100, (p.Done+p.Failed)*100/uint64(opts.Requests)))
	case opts.Duration > 0:
		line += fmt.Sprintf("  %d %%", min(100, p.Elapsed*100/opts.Duration))
	}
	return line
}

// options are the flags in the terms of package load.
func (o *loadOptions) options(stdin io.Reader, target string) (load.Options, error) {
	protocol, err := o.protocol()
	if err != nil {
		return load.Options{}, err
	}
	if err := checkLoad("-c", o.conns, "-m", o.streams); err != nil {
		return load.Options{}, err
	}
	switch {
	case o.requests < 0:
		return load.Options{}, errors.New("-n must not be negative")
	case o.requests == 0 && o.duration <= 0:
		return load.Options{}, errors.New("load needs a number of requests, -n, or a duration, -D")
	case o.rate < 0 || o.threads < 0:
		return load.Options{}, errors.New("-r and -t must not be negative")
	case protocol == load.HTTP1 && o.streams > 1:
		return load.Options{}, errors.New("HTTP/1.1 has one request at a time on a connection: use -c instead of -m")
	}
	plans, err := o.get.plan([]string{target})
	if err != nil {
		return load.Options{}, err
	}
	p := plans[0]
	if p.url.Scheme != "https" {
		return load.Options{}, fmt.Errorf("%s: load is for https only", target)
	}
	opts := load.Options{
		URL: p.url.String(), Protocol: protocol, Method: p.method, Header: p.header, Host: p.host,
		Conns: o.conns, Streams: o.streams, Requests: o.requests,
		Duration: time.Duration(o.duration), WarmUp: time.Duration(o.warmUp), Timeout: time.Duration(o.timeout),
		ActiveTimeout: time.Duration(o.active), InactivityTimeout: time.Duration(o.inactive), Rate: o.rate,
	}
	if o.connectTo != "" {
		if err := opts.Dialing.AddConnectTo("::" + o.connectTo); err != nil {
			return load.Options{}, fmt.Errorf("--connect-to %s: not a host and a port", o.connectTo)
		}
	}
	if o.input != "" {
		if opts.Paths, err = o.paths(stdin); err != nil {
			return load.Options{}, err
		}
	}
	if p.body != nil {
		content, _, err := p.body.open(stdin)
		if err != nil {
			return load.Options{}, err
		}
		opts.Body, err = io.ReadAll(content)
		if err = errors.Join(err, content.Close()); err != nil {
			return load.Options{}, err
		}
	}
	return opts, nil
}

// paths reads the paths of --input-file.
func (o *loadOptions) paths(stdin io.Reader) ([]string, error) {
	content, _, err := piece{file: o.input}.open(stdin)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	var all []string
	lines := bufio.NewScanner(content)
	for lines.Scan() {
		text := strings.TrimSpace(lines.Text())
		if text == "" {
			continue
		}
		u, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is not a URL: %w", o.input, text, errors.Unwrap(err))
		}
		all = append(all, u.RequestURI())
	}
	if lines.Err() == nil && len(all) == 0 {
		return nil, fmt.Errorf("%s has no URL", o.input)
	}
	return all, lines.Err()
}
