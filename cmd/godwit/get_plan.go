package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
)

// stdoutName is the name of standard output for -o, and of standard input for
// -d with an @ before it.
const stdoutName = "-"

// plan is what to fetch, how, and where to.
type plan struct {
	url    *url.URL
	method string
	header http.Header
	host   string // of a Host header, "" for the URL's
	body   *content
	output string // a file, or stdoutName
}

// plan checks the command line and says what to do for each URL.
func (o *getOptions) plan(urls []string) ([]plan, error) {
	body, err := o.content()
	if err != nil {
		return nil, err
	}
	if body != nil && body.file == stdoutName && len(urls) > 1 {
		return nil, errors.New("standard input can be sent to one URL only")
	}
	header, host, err := o.header(body)
	if err != nil {
		return nil, err
	}
	method := o.method
	switch {
	case method != "":
	case len(o.datagrams) > 0:
		method = http.MethodConnect
	case o.head:
		method = http.MethodHead
	case body != nil:
		method = http.MethodPost
	default:
		method = http.MethodGet
	}
	if err := o.checkRepeat(body); err != nil {
		return nil, err
	}
	if len(o.outputs) > len(urls) {
		return nil, fmt.Errorf("there are more files to write (%d) than URLs (%d)", len(o.outputs), len(urls))
	}
	plans := make([]plan, len(urls), len(urls)*o.times())
	for i, text := range urls {
		u, err := parseURL(text)
		if err != nil {
			return nil, err
		}
		output, err := o.output(i, u)
		if err != nil {
			return nil, err
		}
		plans[i] = plan{url: u, method: method, header: header, host: host, body: body, output: output}
	}
	for range o.times() - 1 {
		plans = append(plans, plans[:len(urls)]...)
	}
	return plans, nil
}

// times is how often every URL is fetched.
func (o *getOptions) times() int { return max(o.repeat, 1) }

// isFile reports whether an output keeps what is written to it.
func isFile(output string) bool { return output != stdoutName && output != os.DevNull }

// checkRepeat refuses what cannot be done more than once, or at a time.
func (o *getOptions) checkRepeat(body *content) error {
	switch {
	case o.repeat < 0 || o.parallel < 0:
		return errors.New("--repeat and --parallel must not be negative")
	case o.times() > 1 && (o.remoteName || slices.ContainsFunc(o.outputs, isFile)):
		return errors.New("--repeat would write the same file several times")
	case o.times() > 1 && body != nil && body.file == stdoutName:
		return errors.New("--repeat cannot send standard input several times")
	case o.http1 && o.http2:
		return errors.New("--http1 and --http2 cannot be combined")
	}
	return nil
}

// parseURL reads a URL as people write it.
func parseURL(text string) (*url.URL, error) {
	full := text
	if !strings.Contains(text, "://") {
		full = "https://" + text
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%q is not a URL: %w", text, errors.Unwrap(err))
	case u.Scheme != "https":
		return nil, fmt.Errorf("%s: HTTP/3 is for https only", text)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q names no server", text)
	}
	return u, nil
}

// output returns where the response of URL number i goes.
func (o *getOptions) output(i int, u *url.URL) (string, error) {
	if i < len(o.outputs) {
		return o.outputs[i], nil
	}
	if !o.remoteName {
		return stdoutName, nil
	}
	name := path.Base(u.Path)
	if strings.HasSuffix(u.Path, "/") || name == "." || name == ".." {
		return "", fmt.Errorf("%s has no file name for -O; use -o", u)
	}
	return name, nil
}

// header returns the request's header, and the Host if one was given.
func (o *getOptions) header(body *content) (header http.Header, host string, err error) {
	header = http.Header{"User-Agent": {"godwit/" + version()}, "Accept": {"*/*"}}
	if body != nil {
		header.Set("Content-Type", "application/x-www-form-urlencoded") // as curl does
	}
	if o.jsonGiven {
		header.Set("Content-Type", "application/json")
		header.Set("Accept", "application/json")
	}
	if len(o.datagrams) > 0 {
		header[":protocol"] = []string{o.protocol} // where http3's Connect looks
	}
	replaced := make(map[string]bool) // a header given replaces ours, but not the one given before
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return nil, "", fmt.Errorf("%q is not a header like \"Name: value\"", line)
		case name == "Host":
			host = value
			continue
		case !replaced[name]:
			header.Del(name)
			replaced[name] = true
		}
		if value != "" {
			header.Add(name, value)
		}
	}
	if replaced["User-Agent"] && header.Get("User-Agent") == "" {
		header["User-Agent"] = nil // or net/http would add its own
	}
	return header, host, nil
}
