package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/perf"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
)

func (a *app) perfCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "perf",
		Short: "Measure QUIC with the IETF's performance protocol",
		Long: `Measure QUIC with the IETF's performance protocol (ALPN "perf"): on every stream
the client sends 8 bytes, a big-endian count, and what it uploads; the server
answers with that many bytes.`,
	}
	cmd.AddCommand(a.perfServeCommand(), a.perfRunCommand())
	return cmd
}

type perfServeOptions struct {
	listen, cert, key string
	window            size
}

func (a *app) perfServeCommand() *cobra.Command {
	var opts perfServeOptions
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer performance clients",
		Args:  none,
		RunE:  func(cmd *cobra.Command, _ []string) error { return a.perfServe(cmd.Context(), &opts) },
	}
	flags := cmd.Flags()
	flags.StringVar(&opts.listen, "listen", defaultListen, "UDP `address` to listen on")
	flags.StringVar(&opts.cert, "cert", "", "PEM `file` with the certificate and its chain; one is made without")
	flags.StringVar(&opts.key, "key", "", "PEM `file` with the certificate's key")
	flags.Var(&opts.window, "window", "fix the flow control windows at so many bytes, e.g. 16MiB")
	return cmd
}

func (a *app) perfServe(ctx context.Context, opts *perfServeOptions) error {
	conf, hash, err := a.serverTLS(opts.cert, opts.key)
	if err != nil {
		return err
	}
	conf.NextProtos = []string{perf.ALPN}
	ln, err := perf.Listen(opts.listen, conf, a.transportConfig(), perf.WithWindow(a.quicConfig(), uint64(opts.window)))
	if err != nil {
		return explainListen(err)
	}
	fmt.Fprintf(a.stdout, "serving perf at %s\n", displayAddr(opts.listen, ln.Addr()))
	fmt.Fprintf(a.stdout, "certificate SHA-256 %s\n", hash)
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	return perf.Serve(ctx, ln)
}

type perfRunOptions struct {
	download, upload, window size
	duration                 time.Duration
	streams, conns           int
	cacert                   string
	json                     bool
}

func (a *app) perfRunCommand() *cobra.Command {
	var opts perfRunOptions
	cmd := &cobra.Command{
		Use:   "run ADDRESS",
		Short: "Measure how fast a server answers",
		Long: `Measure how fast a performance server answers. Every stream carries --download
and --upload bytes. With --duration streams follow each other until the time is
up; with nothing else, a download runs all the time.

Nothing secret is sent, so the server's certificate is not checked unless
--cacert is given.`,
		Example: `  godwit perf run localhost:4433 --download 1GiB
  godwit perf run localhost:4433 --duration 10s --conns 2 --json`,
		Args: one("the address of a server, like localhost:4433"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.perfRun(cmd.Context(), args[0], &opts) },
	}
	flags := cmd.Flags()
	flags.Var(&opts.download, "download", "bytes that each stream downloads, e.g. 1GiB")
	flags.Var(&opts.upload, "upload", "bytes that each stream uploads")
	flags.DurationVar(&opts.duration, "duration", 0, "for how long to go on, e.g. 10s")
	flags.IntVar(&opts.streams, "streams", 1, "streams at once on each connection")
	flags.IntVar(&opts.conns, "conns", 1, "connections at once")
	flags.Var(&opts.window, "window", "fix the flow control windows at so many bytes, e.g. 16MiB")
	flags.StringVar(&opts.cacert, "cacert", "", "PEM `file` with certificates to trust")
	addFormatFlags(flags, &opts.json, "print the result as `text|json`")
	return cmd
}

func (o *perfRunOptions) check() error {
	switch {
	case o.duration < 0:
		return errors.New("--duration must not be negative")
	case o.download == 0 && o.upload == 0 && o.duration == 0:
		return errors.New("perf run needs --download, --upload or --duration")
	}
	return checkLoad("--conns", o.conns, "--streams", o.streams)
}

func (a *app) perfRun(ctx context.Context, addr string, opts *perfRunOptions) error {
	if err := opts.check(); err != nil {
		return &exitError{exitUsage, err}
	}
	conf, err := a.clientTLS(opts.cacert, opts.cacert == "")
	if err != nil {
		return err
	}
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	result, err := perf.Run(ctx, addr, perf.Options{
		TLS: conf, QUIC: perf.WithWindow(a.quicConfig(), uint64(opts.window)), Transport: a.transportConfig(),
		Download: uint64(opts.download), Upload: uint64(opts.upload), Duration: opts.duration,
		Streams: opts.streams, Conns: opts.conns,
	})
	if err != nil {
		return explain(err, "give --cacert another FILE, or none to check no certificate")
	}
	if opts.json {
		return json.NewEncoder(terminal.JSON(a.stdout)).Encode(result)
	}
	_, err = fmt.Fprintln(a.stdout, result)
	return err
}
