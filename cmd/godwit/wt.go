package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/wtclient"
	"github.com/godwit-quic/godwit/webtransport"
)

func (a *app) wtCommand() *cobra.Command {
	var opts wtOptions
	cmd := &cobra.Command{
		Use:   "wt URL",
		Short: "Open a WebTransport session: send, receive, measure round trips",
		Long: `Open a WebTransport session and show what comes by it: datagrams, the streams that
the server opens, and its end.

Each line of standard input is sent as a datagram, or by a stream of its own with
--lines bidi or --lines uni. What --datagram, --bidi and --uni give is sent in their
order, and then standard input is not read unless there is --lines. When all is sent
the session lasts until the answers by its streams are complete and nothing has come
for the time of --wait.

With --count or --interval, datagrams with numbers are sent to a route that sends
them back, and loss and round-trip times are shown, as ping does.

With --stream, standard input is sent by one bidirectional stream and the answer
written to standard output, and nothing else.

With --json, each line is an object with "event" and "ms", milliseconds since the
session was opened. The events are open, datagram, data and end (of a stream, with its
id and kind), reply (to a numbered datagram), draining, closed, and summary. What came
is text, or base64 if it is not UTF-8.

The exit code is 3 when the server closes the session with a code other than 0, 22
when it refuses the session, and 1 when no numbered datagram comes back, or when the
time of -m is up before --count of them, or anything else, is done.`,
		Example: `  godwit wt -k https://localhost:4433/wt/chat
  godwit wt -k --bidi hello --datagram 'hello, too' https://localhost:4433/wt/echo
  godwit wt -k --count 10 --interval 100ms https://localhost:4433/wt/echo
  godwit wt -k --stream https://localhost:4433/wt/echo < photo.jpg > same.jpg`,
		Args: one("one URL, like https://localhost:4433/wt/echo"),
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed
			opts.linesGiven, opts.ping = given("lines"), given("count") || given("interval")
			return a.wt(cmd.Context(), args[0], &opts)
		},
	}
	opts.addFlags(cmd)
	return cmd
}

// wt opens a session and does with it what the flags say.
func (a *app) wt(ctx context.Context, text string, opts *wtOptions) error {
	target, header, err := opts.check(text)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	dialer, err := opts.dialer(a)
	if err != nil {
		return err
	}
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	if opts.timeout > 0 {
		ctx, cancel = context.WithTimeoutCause(ctx, time.Duration(opts.timeout), timeUp(opts.timeout))
		defer cancel()
	}
	session, resp, err := dialer.Dial(ctx, target.String(), header)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = explainUnconnected(cause, "session")
		}
		return fmt.Errorf("%s: %w", target, explainSession(err, resp))
	}
	a.invite(opts)
	if opts.stream {
		err = wtclient.Pipe(ctx, session, a.stdin, a.stdout)
	} else {
		err = wtclient.Run(ctx, session, opts.client(a))
	}
	if closed := (*wtclient.ClosedError)(nil); errors.As(err, &closed) {
		return &exitError{exitClosed, err}
	}
	return err
}

// invite tells a person at a terminal what the command waits for.
func (a *app) invite(opts *wtOptions) {
	f, ok := a.stdin.(*os.File)
	if !ok || opts.ping || len(opts.messages) > 0 && !opts.linesGiven || !term.IsTerminal(int(f.Fd())) {
		return
	}
	what := "each line that you type is sent as a " + opts.lines
	if opts.lines != string(wtclient.Datagram) {
		what = "each line that you type is sent by a stream of its own"
	}
	if opts.stream {
		what = "what you type is sent line by line"
	}
	fmt.Fprintf(a.stderr, "connected: %s; end with Ctrl-D\n", what)
}

// dialer returns what opens the session.
func (o *wtOptions) dialer(a *app) (*webtransport.Dialer, error) {
	conf, err := a.clientTLS(o.cacert, o.insecure)
	if err != nil {
		return nil, err
	}
	d := &webtransport.Dialer{
		TLSClientConfig: conf, QUICConfig: a.quicConfig(),
		ServerCertificateHashes: [][sha256.Size]byte(o.hashes), Protocols: o.subprotocols,
	}
	if o.draft != 0 {
		d.Config = &webtransport.Config{Drafts: []webtransport.Draft{webtransport.Draft(o.draft)}}
	}
	return d, nil
}

// client returns what to do with the session.
func (o *wtOptions) client(a *app) wtclient.Options {
	out := wtclient.Options{Send: o.messages, LinesAs: wtclient.Kind(o.lines), Wait: o.wait}
	switch {
	case o.ping:
		out.Ping = &wtclient.Ping{Count: o.count, Interval: o.interval, Size: o.size}
	case o.linesGiven || len(o.messages) == 0:
		out.Lines = a.stdin
	}
	if o.json {
		out.Printer = wtclient.NewJSONPrinter(terminal.JSON(a.stdout))
	} else {
		out.Printer = wtclient.NewTextPrinter(a.stdout, o.quiet)
	}
	return out
}

// explainSession says what a server answered that refuses a session, or what to do
// about another error. resp may be nil.
func explainSession(err error, resp *http.Response) error {
	var rejected *webtransport.RejectedError
	switch {
	case errors.As(err, &rejected):
		return refused("session", resp)
	case errors.Is(err, webtransport.ErrNotSupported):
		return fmt.Errorf("%w (it speaks HTTP/3; godwit get works)", err)
	}
	return explain(err, "use --cert-hash with its SHA-256, --cacert FILE to trust the certificates in FILE, or -k to accept any")
}

// check reads the flags that need more than parsing, and the URL.
func (o *wtOptions) check(text string) (*url.URL, http.Header, error) {
	target, err := parseURL(text)
	switch {
	case err != nil:
		return nil, nil, err
	case target.Scheme != "https":
		return nil, nil, fmt.Errorf("%s: WebTransport is for https only", text)
	}
	if err := o.checkCombination(); err != nil {
		return nil, nil, err
	}
	header, host, err := (&getOptions{getRequest: getRequest{headers: o.headers}}).header(nil)
	switch {
	case err != nil:
		return nil, nil, err
	case host != "":
		return nil, nil, errors.New("the Host of a session is its URL's; connect to that host")
	}
	if o.origin != "" {
		header.Set("Origin", o.origin)
	}
	return target, header, nil
}
