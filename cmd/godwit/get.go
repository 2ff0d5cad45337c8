package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/client"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/cookies"
)

type getOptions struct {
	getRequest
	getConnection
	getOutput
	getRepeats
	datagrams []string
	protocol  string // of the request for datagrams
	wait      seconds
}

func (a *app) getCommand() *cobra.Command {
	var opts getOptions
	cmd := &cobra.Command{
		Use:   "get URL...",
		Short: "Fetch over HTTP/3, with curl's habits",
		Long: `Fetch URLs, over HTTP/3 where it is to be had. The flags are curl's, and so are the
exit codes. A URL without a scheme is taken for https.

HTTP/3 is tried first. When that fails, or there is no connection after 200 ms, TCP is
tried as well, and what is connected first is used; a line on standard error says so,
unless -s is given. --http3-only, --http2 and --http1.1 allow one version only.

URLs are fetched one after the other, or at the same time with -Z, over one connection for
each server. Responses go to standard output, in the order of the URLs, or to files with -o
or -O; the first -o is for the first URL, and so on. A terminal gets no binary content,
unless -o - asks for it. A download that was cut short goes on with -C -.

-i shows interim responses, the header and the trailers, with empty lines between them and
the content. With --format json, each URL becomes an object in a line, with all of that,
the times, and the content if it goes to no file.

With --datagram, the request is an extended CONNECT for the protocol that --protocol
names. When the server has accepted it the datagrams are sent, and those that come
back are the response, a line each. It ends when there are as many as were sent, or
when nothing has come for the time of --wait. The exit code is 1 when some did not come
back, which happens to datagrams, and 22 when the server refuses the request.

Exit codes: 2 wrong usage, 3 not a URL, 6 no such host, 7 no connection, 18 cut short,
22 status of 400 or more (with -f), 23 cannot write, 26 cannot read, 28 time is up, 33 no
range, 35 handshake failed, 47 too many redirects, 56 connection lost, 58 own certificate,
60 server's certificate, 61 unknown coding, 77 --cacert, 92 HTTP/2, 95 HTTP/3, 96 QUIC,
130 interrupted, and 1 for anything else.`,
		Example: `  godwit get https://example.com/
  godwit get -k -v https://localhost:4433/hello
  godwit get -k -T photo.jpg https://localhost:4433/digest
  godwit get -k -Z -o a -o b https://localhost:4433/bytes/1000000 https://localhost:4433/hello
  godwit get -k -o /dev/null -w '%{http_version} %{time_total}\n' https://localhost:4433/hello
  godwit get -k --datagram hello --datagram 'hello, too' https://localhost:4433/echo`,
		Args: some("a URL, like https://localhost:4433/"),
		RunE: func(cmd *cobra.Command, urls []string) error {
			opts.note(cmd.Flags())
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
	o.getRequest.addFlags(flags)
	o.getConnection.addFlags(flags)
	o.getOutput.addFlags(flags)
	o.getRepeats.addFlags(flags)
	o.addDatagramFlags(flags)
}

// get fetches all URLs.
func (a *app) get(ctx context.Context, urls []string, opts *getOptions) error {
	plans, err := opts.plan(urls)
	if err != nil {
		return usage(err)
	}
	conf, err := opts.config(a)
	if err != nil {
		return err
	}
	transport, err := client.New(conf)
	if err != nil {
		return err
	}
	jar, err := opts.jar(a)
	if err != nil {
		return errors.Join(err, transport.Close())
	}
	ctx, cancel := a.interruptible(ctx)
	defer cancel()
	f := &fetcher{app: a, opts: opts, transport: opts.datagramsOver(transport), jar: jar, progress: a.newProgress(opts.silent || opts.verbose || opts.noProgress), out: a.contentOut(opts)}
	err = f.fetchAll(ctx, plans)
	return errors.Join(err, opts.saveJar(a, jar), transport.Close())
}

// jar returns where cookies are kept, nil if they are not. A file of -b that is not there
// stands for no cookies, as in curl: -c may be going to write it.
func (o *getOptions) jar(a *app) (*cookies.Jar, error) {
	isFile := func(text string) bool { return !strings.Contains(text, "=") }
	if o.cookieJar == "" && !slices.ContainsFunc(o.cookies, isFile) {
		return nil, nil
	}
	jar := cookies.New()
	for _, path := range o.cookieFiles() {
		err := jar.Load(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if path != o.cookieJar && !o.silent {
				a.complain("-b: there is no file %s: going on without its cookies", path)
			}
		case err != nil:
			return nil, fmt.Errorf("-b: %w", err)
		}
	}
	return jar, nil
}

// saveJar writes the cookies to where -c says.
func (o *getRequest) saveJar(a *app, jar *cookies.Jar) error {
	switch {
	case jar == nil || o.cookieJar == "":
		return nil
	case o.cookieJar == stdoutName:
		return jar.Write(a.stdout)
	}
	if err := jar.Save(o.cookieJar); err != nil {
		return fmt.Errorf("-c: %w", err)
	}
	return nil
}

// client returns what follows redirects, as the flags say, and keeps cookies.
func (f *fetcher) client(t *transfer) *http.Client {
	c := &http.Client{Transport: f.transport}
	if f.jar != nil {
		c.Jar = f.jar
	}
	c.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		switch {
		case !f.opts.location:
			return http.ErrUseLastResponse
		case f.opts.maxRedirects >= 0 && len(via) > f.opts.maxRedirects:
			return &exitError{curlRedirects, fmt.Errorf("more than %d redirects", f.opts.maxRedirects)}
		}
		t.redirected(req)
		return nil
	}
	return c
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
