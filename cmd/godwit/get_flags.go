package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/client"
	"github.com/godwit-quic/godwit/cmd/godwit/internal/demo"
)

// getRequest is what is sent.
type getRequest struct {
	method       string
	headers      []string
	data         []datum
	json         []string
	forms        []formField
	uploads      []string
	asQuery      bool // -G
	user         string
	agent        string
	referer      string
	cookies      []string // -b
	cookieJar    string
	byteRange    string
	head         bool
	compressed   bool
	location     bool
	maxRedirects int

	agentGiven bool
}

func (o *getRequest) addFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&o.method, "request", "X", "", "`method`, instead of GET, or POST with -d, or PUT with -T")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "request header `\"Name: value\"`, \"Name:\" to leave one out, \"Name;\" for an empty one")
	addDataFlag(flags, &o.data)
	flags.Var(&dataFlag{dataRaw, &o.data}, "data-raw", "like -d, but without a meaning for @")
	flags.Var(&dataFlag{dataBinary, &o.data}, "data-binary", "like -d, and a file stays as it is")
	flags.Var(&dataFlag{dataEncoded, &o.data}, "data-urlencode", "like -d, encoded: content, name=content, @file or name@file")
	flags.BoolVarP(&o.asQuery, "get", "G", false, "put what -d gives into the URL's query, and send GET")
	flags.StringArrayVar(&o.json, "json", nil, "send `data` in JSON, or a file's with @file, and ask for an answer in JSON")
	flags.VarP(&formFlag{&o.forms, false}, "form", "F", "send a form's `name=content`, a file with name=@file, a file's text with name=<file; ;type= and ;filename= may follow")
	flags.Var(&formFlag{&o.forms, true}, "form-string", "send a form's `name=content`, in which nothing has a meaning")
	flags.StringArrayVarP(&o.uploads, "upload-file", "T", nil, "send `file` with PUT, or standard input, which is -; the first is for the first URL")
	flags.StringVarP(&o.user, "user", "u", "", "`name:password` for the server (Basic)")
	flags.StringVarP(&o.agent, "user-agent", "A", "", "`name` of this client, instead of godwit's")
	flags.StringVarP(&o.referer, "referer", "e", "", "`URL` that led here")
	flags.StringArrayVarP(&o.cookies, "cookie", "b", nil, "cookies: `\"name=value; …\"`, or a file of them")
	flags.StringVarP(&o.cookieJar, "cookie-jar", "c", "", "`file` to write cookies to in the end")
	flags.StringVarP(&o.byteRange, "range", "r", "", "ask for `bytes` like 0-499, 500- or -500 only")
	flags.BoolVarP(&o.head, "head", "I", false, "ask for and show the header only")
	flags.BoolVar(&o.compressed, "compressed", false, "ask for gzip, br or zstd, and decode it")
	flags.BoolVarP(&o.location, "location", "L", false, "follow redirects")
	flags.IntVar(&o.maxRedirects, "max-redirs", 50, "follow so many at most, -1 for any `number`")
}

// cookieFiles are those of -b that are no cookies.
func (o *getRequest) cookieFiles() (files []string) {
	for _, text := range o.cookies {
		if text != "" && !strings.Contains(text, "=") {
			files = append(files, text)
		}
	}
	return files
}

// getConnection is how and where to.
type getConnection struct {
	insecure                     bool
	cacert, cert, key            string
	hashes                       hashFlag
	dialing                      client.Dialing
	ipv4, ipv6                   bool
	connectTimeout               seconds
	timeout                      seconds
	http1, http2, http3, onlyTo3 bool
}

func (o *getConnection) addFlags(flags *pflag.FlagSet) {
	flags.BoolVarP(&o.insecure, "insecure", "k", false, "accept every certificate")
	flags.StringVar(&o.cacert, "cacert", "", "PEM `file` with certificates to trust instead of the system's")
	flags.StringVarP(&o.cert, "cert", "E", "", "PEM `file` with a client's certificate, and perhaps its key")
	flags.StringVar(&o.key, "key", "", "PEM `file` with that certificate's key")
	flags.Var(&o.hashes, "cert-hash", "accept the certificate with this `SHA-256`, as godwit cert show and serve print it")
	o.addDialFlags(flags)
	flags.BoolVarP(&o.ipv4, "ipv4", "4", false, "use IPv4 addresses only")
	flags.BoolVarP(&o.ipv6, "ipv6", "6", false, "use IPv6 addresses only")
	flags.Var(&o.connectTimeout, "connect-timeout", "give up when there is no connection after so many seconds")
	flags.VarP(&o.timeout, "max-time", "m", "give up on a URL after so many seconds, or a duration like 500ms")
	flags.BoolVar(&o.http1, "http1.1", false, "use HTTP/1.1")
	flags.BoolVar(&o.http2, "http2", false, "use HTTP/2")
	flags.BoolVar(&o.http3, "http3", false, "use HTTP/3 if it can be had, which is the default")
	flags.BoolVar(&o.onlyTo3, "http3-only", false, "use HTTP/3, and nothing else")
}

// addDialFlags are those that other commands have, too.
func (o *getConnection) addDialFlags(flags *pflag.FlagSet) {
	flags.Var(funcFlag{o.dialing.AddResolve, "host:port:address"}, "resolve", "connect to this address for a host and port")
	flags.Var(funcFlag{o.dialing.AddConnectTo, "host1:port1:host2:port2"}, "connect-to", "connect to the second host and port for the first")
}

// versions returns which versions of HTTP may be used.
func (o *getConnection) versions() (client.Versions, error) {
	chosen, given := client.Any, 0
	for _, flag := range []struct {
		set bool
		is  client.Versions
	}{{o.http1, client.Only1}, {o.http2, client.Only2}, {o.http3, client.Any}, {o.onlyTo3, client.Only3}} {
		if flag.set {
			chosen = flag.is
			given++
		}
	}
	switch {
	case given > 1:
		return 0, errors.New("--http1.1, --http2, --http3 and --http3-only cannot be combined")
	case o.ipv4 && o.ipv6:
		return 0, errors.New("-4 and -6 cannot be combined")
	case o.insecure && len(o.hashes) > 0:
		return 0, errors.New("-k accepts every certificate, --cert-hash only one")
	}
	return chosen, nil
}

// getOutput is what is shown, and where.
type getOutput struct {
	outputs           []string
	outputDir         string
	createDirs        bool
	remoteName        bool
	include           bool
	dumpHeader        string
	verbose           bool
	writeOut          string
	silent, showError bool
	noProgress        bool
	fail              bool
	failWithBody      bool
	continueAt        string
	format            formatFlag
}

func (o *getOutput) addFlags(flags *pflag.FlagSet) {
	flags.StringArrayVarP(&o.outputs, "output", "o", nil, "write to `file` instead of standard output, which is -")
	flags.StringVar(&o.outputDir, "output-dir", "", "`directory` of the files of -o and -O")
	flags.BoolVar(&o.createDirs, "create-dirs", false, "make the directories of the files of -o")
	flags.BoolVarP(&o.remoteName, "remote-name", "O", false, "write to files named as in the URLs")
	flags.StringVarP(&o.continueAt, "continue-at", "C", "", "go on at this `offset` of the file, - for as much as there is")
	flags.BoolVarP(&o.include, "include", "i", false, "show interim responses, the response's header and trailers too")
	flags.StringVarP(&o.dumpHeader, "dump-header", "D", "", "write them to `file` instead, - for standard output")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "show addresses, handshakes, certificates and fields on standard error")
	flags.StringVarP(&o.writeOut, "write-out", "w", "", "write a `format` like '%{http_code}\\n' after each URL, or a file's with @file")
	flags.BoolVarP(&o.silent, "silent", "s", false, "show neither progress nor errors")
	flags.BoolVarP(&o.showError, "show-error", "S", false, "show errors even with -s")
	flags.BoolVar(&o.noProgress, "no-progress-meter", false, "show errors, but no progress")
	flags.BoolVarP(&o.fail, "fail", "f", false, "fail with exit code 22 on a status of 400 or more")
	flags.BoolVar(&o.failWithBody, "fail-with-body", false, "the same, and write the content")
	flags.Var(&o.format, "format", "print each response as `text|json`")
	flags.BoolP("globoff", "g", true, "take URLs with {} and [] as they are, which is always done")
	flags.BoolP("no-buffer", "N", true, "write what comes at once, which is always done")
}

// getRepeats is how often, and how many at a time.
type getRepeats struct {
	parallel       bool
	parallelMax    int
	repeat         int
	limitRate      size
	retry          int
	retryDelay     seconds
	retryMaxTime   seconds
	retryAllErrors bool
	retryRefused   bool
}

// maxParallel is how many URLs -Z fetches at the same time unless --parallel-max says
// otherwise. Servers allow about half as many requests on a connection; the rest
// waits.
const maxParallel = 200

func (o *getRepeats) addFlags(flags *pflag.FlagSet) {
	flags.BoolVarP(&o.parallel, "parallel", "Z", false, "fetch the URLs at the same time")
	flags.IntVar(&o.parallelMax, "parallel-max", maxParallel, "so many at most")
	flags.IntVar(&o.repeat, "repeat", 1, "fetch every URL so many times")
	flags.Var(&o.limitRate, "limit-rate", "transfer no faster than so many bytes a second, e.g. 1M, each URL")
	flags.IntVar(&o.retry, "retry", 0, "try again so many times after a timeout, or a status of 408, 429, 500, 502, 503 or 504")
	flags.Var(&o.retryDelay, "retry-delay", "wait so many seconds before, instead of 1, 2, 4, …")
	flags.Var(&o.retryMaxTime, "retry-max-time", "try no more after so many seconds")
	flags.BoolVar(&o.retryRefused, "retry-connrefused", false, "try again after refused connections, too")
	flags.BoolVar(&o.retryAllErrors, "retry-all-errors", false, "try again after any error")
}

// slots returns how many URLs may be fetched at a time.
func (o *getRepeats) slots() int {
	if !o.parallel {
		return 1
	}
	return max(o.parallelMax, 1)
}

func (o *getOptions) addDatagramFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&o.datagrams, "datagram", nil, "send `text` as an HTTP datagram, and show what comes back")
	flags.StringVar(&o.protocol, "protocol", demo.EchoProtocol, "`name` of what --datagram's request is for: its :protocol")
	o.wait = defaultWait
	flags.Var(&o.wait, "wait", "end --datagram when nothing has come for so many seconds, or a duration like 500ms")
}

// note takes note of which flags were given, where their values do not tell.
func (o *getOptions) note(flags *pflag.FlagSet) { o.agentGiven = flags.Changed("user-agent") }

// config returns how requests are sent.
func (o *getOptions) config(a *app) (client.Config, error) {
	versions, err := o.versions()
	if err != nil {
		return client.Config{}, usage(err)
	}
	tlsConf, err := o.tls(a)
	if err != nil {
		return client.Config{}, err
	}
	conf := client.Config{
		TLS: tlsConf, QUIC: a.quicConfig(), Socket: a.transportConfig(), Dialing: o.dialing, Versions: versions,
		ConnectTimeout: time.Duration(o.connectTimeout),
	}
	switch {
	case o.ipv4:
		conf.Dialing.Family = 4
	case o.ipv6:
		conf.Dialing.Family = 6
	}
	if !o.silent {
		conf.FellBack = func(origin string, why error) { a.complain("%s: no HTTP/3 (%s): using TCP", origin, said(why)) }
	}
	if len(o.datagrams) > 0 {
		conf.Versions, conf.EnableDatagrams = client.Only3, true
	}
	return conf, nil
}

// funcFlag is a flag whose values are taken in by a function.
type funcFlag struct {
	add  func(string) error
	kind string // its placeholder in the help
}

// Set takes a value in.
func (f funcFlag) Set(text string) error { return f.add(text) }

// String returns nothing: there is no default.
func (f funcFlag) String() string { return "" }

// Type is the flag's placeholder in the help.
func (f funcFlag) Type() string { return f.kind }

// addFormatFlags adds --format, and --json, which is short for --format json where it means
// nothing else.
func addFormatFlags(flags *pflag.FlagSet, json *bool, usage string) {
	flags.Var((*formatFlag)(json), "format", usage)
	flags.BoolVar(json, "json", false, "the same as --format json")
}

// formatFlag is a flag for text or JSON, which true stands for.
type formatFlag bool

// Set takes text or json.
func (f *formatFlag) Set(text string) error {
	switch text {
	case "json":
		*f = true
	case "text":
		*f = false
	default:
		return fmt.Errorf("%q is neither text nor json", text)
	}
	return nil
}

// String returns the format.
func (f *formatFlag) String() string {
	if *f {
		return "json"
	}
	return "text"
}

// Type is the flag's placeholder in the help.
func (f *formatFlag) Type() string { return "text|json" }
