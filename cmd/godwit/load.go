package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/load"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

type loadOptions struct {
	conns, streams, requests  int
	duration, warmUp, timeout seconds
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
are h2load's.

Each connection has -m requests running at any time. The measurement ends after -n
requests or the time -D, or when it is interrupted.`,
		Example: `  godwit load -k -c 10 -m 32 -D 10 https://localhost:4433/hello
  godwit load -k -n 100000 --http2 --json https://localhost:4433/hello`,
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
	flags.VarP(&o.duration, "duration", "D", "for how long, in seconds or as a duration like 1m30s")
	flags.Var(&o.warmUp, "warm-up-time", "send requests for so long before they count")
	flags.VarP(&o.timeout, "timeout", "T", "give up on a request after so many seconds")
	flags.BoolVar(&o.http1, "http1", false, "use HTTP/1.1")
	flags.BoolVar(&o.http2, "http2", false, "use HTTP/2")
	flags.BoolVar(&o.http3, "http3", false, "use HTTP/3, the default")
	flags.BoolVar(&o.json, "json", false, "print one JSON object")
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
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	result, err := load.Run(ctx, loadOpts)
	switch {
	case err != nil && context.Cause(ctx) != nil:
		return context.Cause(ctx)
	case err != nil:
		return explain(err, "use --cacert FILE to trust the certificates in FILE, or -k to accept any")
	case opts.json:
		err = json.NewEncoder(terminal.JSON(a.stdout)).Encode(result)
	default:
		_, err = io.WriteString(a.stdout, terminal.Safe(result.String()))
	}
	if failed := result.Failed(); err == nil && failed > 0 {
		return fmt.Errorf("%d requests failed", failed)
	}
	return err
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
