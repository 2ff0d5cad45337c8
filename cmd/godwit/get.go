package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/demo"
)

// maxParallel is how many URLs are fetched at the same time unless --parallel says
// otherwise. Servers allow about half as many requests on a connection; the rest
// waits.
const maxParallel = 200

type getOptions struct {
	method               string
	headers, data        []string
	json                 string
	outputs              []string
	remoteName           bool
	include, head        bool
	silent, showError    bool
	fail, location       bool
	insecure             bool
	cacert               string
	timeout              seconds
	parallel, repeat     int
	limitRate            size
	datagrams            []string
	protocol             string // of the request for datagrams
	wait                 seconds
	http1, http2         bool
	jsonGiven, dataGiven bool
}

func (a *app) getCommand() *cobra.Command {
	var opts getOptions
	cmd := &cobra.Command{
		Use:   "get URL...",
		Short: "Fetch over HTTP/3, with curl's habits",
		Long: `Fetch URLs over HTTP/3, all at the same time and on one connection for each
server. The flags are curl's. A URL without a scheme is taken for https. HTTP/1.1
and HTTP/2 are there to compare with.

Responses go to standard output, in the order of the URLs, or to files with -o or
-O; the first -o is for the first URL, and so on. A terminal gets no binary content,
unless -o - asks for it.

With --datagram, the request is an extended CONNECT for the protocol that --protocol
names. When the server has accepted it the datagrams are sent, and those that come
back are the response, a line each. It ends when there are as many as were sent, or
when nothing has come for the time of --wait. The exit code is 1 when some did not come
back, which happens to datagrams, and 22 when the server refuses the request.`,
		Example: `  godwit get https://example.com/
  godwit get -k -d @photo.jpg https://localhost:4433/digest
  godwit get -k -o a -o b https://localhost:4433/bytes/1000000 https://localhost:4433/hello
  godwit get -k --datagram hello --datagram 'hello, too' https://localhost:4433/echo`,
		Args: some("a URL, like https://localhost:4433/"),
		RunE: func(cmd *cobra.Command, urls []string) error {
			opts.dataGiven, opts.jsonGiven = cmd.Flags().Changed("data"), cmd.Flags().Changed("json")
			if err := opts.checkDatagrams(cmd.Flags(), urls); err != nil {
				return &exitError{exitUsage, err}
			}
			return a.get(cmd.Context(), urls, &opts)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

func (o *getOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVarP(&o.method, "request", "X", "", "`method`, instead of GET, or POST with -d")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "request header `\"Name: value\"`, or \"Name:\" to leave one out")
	flags.StringArrayVarP(&o.data, "data", "d", nil, "send `data`, or a file's content with @file, or standard input with @-")
	flags.StringVar(&o.json, "json", "", "like -d with `data` in JSON, and for an answer in JSON")
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, "write to `file` instead of standard output, which is -")
	flags.BoolVarP(&o.remoteName, "remote-name", "O", false, "write to files named as in the URLs")
	flags.BoolVarP(&o.include, "include", "i", false, "show the response's header and trailers too")
	flags.BoolVarP(&o.head, "head", "I", false, "ask for and show the header only")
	flags.BoolVarP(&o.silent, "silent", "s", false, "show neither progress nor errors")
	flags.BoolVarP(&o.showError, "show-error", "S", false, "show errors even with -s")
	flags.BoolVarP(&o.fail, "fail", "f", false, "fail with exit code 22 on a status of 400 or more")
	flags.BoolVarP(&o.location, "location", "L", false, "follow redirects")
	flags.BoolVarP(&o.insecure, "insecure", "k", false, "accept every certificate")
	flags.StringVar(&o.cacert, "cacert", "", "PEM `file` with certificates to trust instead of the system's")
	flags.VarP(&o.timeout, "timeout", "m", "give up on a URL after so many seconds, or a duration like 500ms")
	flags.IntVar(&o.parallel, "parallel", maxParallel, "fetch so many URLs at the same time")
	flags.IntVar(&o.repeat, "repeat", 1, "fetch every URL so many times")
	flags.Var(&o.limitRate, "limit-rate", "transfer no faster than so many bytes a second, e.g. 1M, each URL")
	flags.BoolVar(&o.http1, "http1", false, "use HTTP/1.1")
	flags.BoolVar(&o.http2, "http2", false, "use HTTP/2")
	flags.StringArrayVar(&o.datagrams, "datagram", nil, "send `text` as an HTTP datagram, and show what comes back")
	flags.StringVar(&o.protocol, "protocol", demo.EchoProtocol, "`name` of what --datagram's request is for: its :protocol")
	o.wait = defaultWait
	flags.Var(&o.wait, "wait", "end --datagram when nothing has come for so many seconds, or a duration like 500ms")
}

// get fetches all URLs.
func (a *app) get(ctx context.Context, urls []string, opts *getOptions) error {
	plans, err := opts.plan(urls)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	conf, err := a.clientTLS(opts.cacert, opts.insecure)
	if err != nil {
		return err
	}
	transport, err := opts.transport(a, conf)
	if err != nil {
		return err
	}
	client := &http.Client{Transport: transport}
	if !opts.location {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	f := &fetcher{app: a, opts: opts, client: client, progress: a.newProgress(opts.silent), out: a.contentOut(opts)}
	err = f.fetchAll(ctx, plans)
	return errors.Join(err, transport.Close())
}

// seconds is a flag for a duration that may be a plain number of seconds, as
// curl's are.
type seconds time.Duration

// Set parses a duration.
func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if n, numberErr := strconv.ParseFloat(text, 64); numberErr == nil && n > math.MaxInt64/1e9 {
		return fmt.Errorf("%q is a longer time than 292 years", text)
	}
	if err != nil || d < 0 {
		return fmt.Errorf("%q is neither a number of seconds nor a duration like 500ms", text)
	}
	*s = seconds(d)
	return nil
}

// String returns the duration, or nothing for 0.
func (s *seconds) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Type is the flag's placeholder in the help.
func (s *seconds) Type() string { return "seconds" }
