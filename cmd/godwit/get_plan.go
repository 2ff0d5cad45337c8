package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
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
	query, err := o.query()
	if err != nil {
		return nil, err
	}
	if err := o.checkRepeat(body, urls); err != nil {
		return nil, err
	}
	plans := make([]plan, len(urls), len(urls)*o.times())
	for i, text := range urls {
		p := &plans[i]
		if p.url, err = parseURL(text); err != nil {
			return nil, err
		}
		if query != "" {
			p.url.RawQuery = strings.TrimPrefix(p.url.RawQuery+"&"+query, "&")
		}
		p.body = body
		if i < len(o.uploads) {
			p.upload(o.uploads[i])
		}
		p.method = o.methodFor(p.body, i < len(o.uploads))
		if p.header, p.host, err = o.header(p.body); err != nil {
			return nil, err
		}
		if p.output, err = o.output(i, p.url); err != nil {
			return nil, err
		}
	}
	for range o.times() - 1 {
		plans = append(plans, plans[:len(urls)]...)
	}
	return plans, nil
}

// upload sends a file. A URL that ends with a slash, or its host, gets its name.
func (p *plan) upload(file string) {
	p.body = &content{pieces: []piece{{file: file}}}
	if (p.url.Path == "" || strings.HasSuffix(p.url.Path, "/")) && file != stdoutName {
		p.url = p.url.JoinPath(filepath.Base(file))
	}
}

// methodFor returns the request's method.
func (o *getOptions) methodFor(body *content, upload bool) string {
	switch {
	case o.method != "":
		return o.method
	case len(o.datagrams) > 0:
		return http.MethodConnect
	case o.head:
		return http.MethodHead
	case upload:
		return http.MethodPut
	case body != nil:
		return http.MethodPost
	}
	return http.MethodGet
}

// times is how often every URL is fetched.
func (o *getOptions) times() int { return max(o.repeat, 1) }

// isFile reports whether an output keeps what is written to it.
func isFile(output string) bool { return output != stdoutName && output != os.DevNull }

// checkRepeat refuses what cannot be done, or not more than once or at a time.
func (o *getOptions) checkRepeat(body *content, urls []string) error {
	once := body != nil && body.once() || slices.Contains(o.uploads, stdoutName)
	switch {
	case body != nil && body.once() && len(urls) > 1:
		return errors.New("standard input can be sent to one URL only")
	case len(o.outputs) > len(urls):
		return fmt.Errorf("there are more files to write (%d) than URLs (%d)", len(o.outputs), len(urls))
	case len(o.uploads) > len(urls):
		return fmt.Errorf("there are more files to send (%d) than URLs (%d)", len(o.uploads), len(urls))
	case o.repeat < 0 || o.parallelMax < 0 || o.retry < 0:
		return errors.New("--repeat, --parallel-max and --retry must not be negative")
	case o.times() > 1 && (o.remoteName || slices.ContainsFunc(o.outputs, isFile)):
		return errors.New("--repeat would write the same file several times")
	case o.times() > 1 && once:
		return errors.New("--repeat cannot send standard input several times")
	case o.continueAt != "" && o.byteRange != "":
		return errors.New("-C and -r cannot be combined")
	case o.continueAt != "" && len(o.uploads)+len(o.data)+len(o.forms)+len(o.json) > 0:
		return errors.New("-C is for what is received")
	case o.continueAt != "" && o.compressed:
		return errors.New("-C and --compressed cannot be combined: an offset is one in what is not encoded")
	}
	if _, err := o.offset(""); err != nil {
		return err
	}
	_, err := o.versions()
	return err
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
		return nil, &exitError{curlURL, fmt.Errorf("%q is not a URL: %w", text, errors.Unwrap(err))}
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, &exitError{curlProtocol, fmt.Errorf("%s: only https and http are supported", text)}
	case u.Hostname() == "":
		return nil, &exitError{curlURL, fmt.Errorf("%q names no server", text)}
	}
	if port := u.Port(); port != "" {
		if _, err := strconv.ParseUint(port, 10, 16); err != nil {
			return nil, &exitError{curlURL, fmt.Errorf("%s: there is no port %s", text, port)}
		}
	}
	return u.ResolveReference(u), nil // without dot segments (RFC 3986, Section 5.2.4), as curl has it
}

// output returns where the response of URL number i goes.
func (o *getOptions) output(i int, u *url.URL) (string, error) {
	if i < len(o.outputs) {
		if !isFile(o.outputs[i]) {
			return o.outputs[i], nil
		}
		return filepath.Join(o.outputDir, o.outputs[i]), nil
	}
	if !o.remoteName {
		return stdoutName, nil
	}
	name := path.Base(u.Path)
	if strings.HasSuffix(u.Path, "/") || name == "." || name == ".." {
		return "", fmt.Errorf("%s has no file name for -O; use -o", u)
	}
	return filepath.Join(o.outputDir, name), nil
}

// addFields adds the fields that flags of their own stand for.
func (o *getOptions) addFields(header http.Header, body *content) {
	set := func(name, value string) {
		if value != "" {
			header.Set(name, value)
		}
	}
	if body != nil {
		set("Content-Type", body.kind)
	}
	if len(o.json) > 0 {
		set("Accept", "application/json")
	}
	if o.agentGiven {
		header["User-Agent"] = nil // or net/http would add its own
		set("User-Agent", o.agent)
	}
	set("Referer", o.referer)
	if o.user != "" {
		set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(o.user)))
	}
	if o.byteRange != "" {
		set("Range", "bytes="+o.byteRange)
	}
	if o.compressed {
		set("Accept-Encoding", acceptedCodings)
	}
	for _, text := range o.cookies {
		if strings.Contains(text, "=") {
			header.Add("Cookie", text)
		}
	}
	if cookies := header["Cookie"]; len(cookies) > 1 {
		header["Cookie"] = []string{strings.Join(cookies, "; ")}
	}
	if len(o.datagrams) > 0 {
		header[":protocol"] = []string{o.protocol} // where http3's Connect looks
	}
}

// header returns the request's header, and the Host if one was given.
func (o *getOptions) header(body *content) (header http.Header, host string, err error) {
	header = http.Header{"User-Agent": {"godwit/" + version()}, "Accept": {"*/*"}}
	o.addFields(header, body)
	replaced := make(map[string]bool) // a header given replaces ours, but not the one given before
	for _, line := range o.headers {
		name, value, ok := strings.Cut(line, ":")
		empty := !ok && strings.HasSuffix(line, ";")
		if empty {
			name, ok = strings.TrimSuffix(line, ";"), true
		}
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
		if value != "" || empty {
			header.Add(name, value)
		}
	}
	if replaced["User-Agent"] && header.Get("User-Agent") == "" {
		header["User-Agent"] = nil // or net/http would add its own
	}
	return header, host, nil
}
