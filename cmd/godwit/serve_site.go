package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/site"
)

// siteOptions are the flags for directories.
type siteOptions struct {
	demo      bool
	listing   bool
	hidden    bool
	spa       bool
	compress  bool
	maxAge    seconds
	immutable []string
	cors      []string
	headers   []string
	log       string
}

// The kinds of access logs.
const (
	logOff  = "off"
	logText = "text"
	logJSON = "json"
)

func (o *siteOptions) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&o.demo, "demo", false, "serve the demo, too, with its page at /demo")
	flags.BoolVar(&o.listing, "listing", true, "show directories without an index.html")
	flags.BoolVar(&o.hidden, "hidden", false, "serve files whose names begin with a dot, too")
	flags.BoolVar(&o.spa, "spa", false, "answer with /index.html what is no file and has no extension")
	flags.BoolVar(&o.compress, "compress", true, "compress text on its way; FILE.br, FILE.zst and FILE.gz are used in any case")
	flags.Var(&o.maxAge, "max-age", "let clients use files, but no pages, for so long without asking")
	flags.StringArrayVar(&o.immutable, "immutable", nil, "let clients keep files below `path`, like /assets/, for ever")
	flags.StringArrayVar(&o.cors, "cors", nil, "let pages of `origin` read the files, * for all")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "add `\"Name: value\"` to all responses")
	flags.StringVar(&o.log, "log", "", "log each request to standard error as `text|json`, or off; text is the default for directories")
}

// usable refuses what makes no sense, given the directories there are.
func (o *siteOptions) usable(flags *pflag.FlagSet, dirs []string) error {
	if len(dirs) == 0 {
		for _, name := range []string{"listing", "hidden", "spa", "compress", "max-age", "immutable", "cors", "header"} {
			if flags.Changed(name) {
				return fmt.Errorf("--%s is for a directory to serve, and none is given", name)
			}
		}
	}
	switch o.log {
	case "":
		o.log = logOff
		if len(dirs) > 0 {
			o.log = logText
		}
	case logOff, logText, logJSON:
	default:
		return fmt.Errorf("--log must be text, json or off, not %q", o.log)
	}
	for _, origin := range o.cors {
		if u, err := url.Parse(origin); origin != "*" && (err != nil || u.Host == "" || origin != u.Scheme+"://"+u.Host) {
			return fmt.Errorf("--cors %s: an origin is a scheme and a host, like https://example.com, or * for all", origin)
		}
	}
	for _, prefix := range o.immutable {
		if !strings.HasPrefix(prefix, "/") {
			return fmt.Errorf("--immutable %s: a path begins with a slash", prefix)
		}
	}
	return nil
}

// served is a directory, for a name or for all others.
type served struct{ host, dir string }

// parseDirs reads DIR and NAME=DIR.
func parseDirs(args []string) ([]served, error) {
	var all []served
	seen := make(map[string]bool)
	for _, arg := range args {
		host, dir, named := strings.Cut(arg, "=")
		if !named || strings.ContainsAny(host, `/\`) {
			host, dir = "", arg
		}
		if host = strings.ToLower(host); seen[host] {
			return nil, fmt.Errorf("%s: there is another directory for %s", arg, orAll(host))
		}
		if dir == "" {
			return nil, fmt.Errorf("%q names no directory", arg)
		}
		seen[host] = true
		all = append(all, served{host, dir})
	}
	return all, nil
}

func orAll(host string) string {
	if host == "" {
		return "all names"
	}
	return host
}

// sites answers by the name that a request is for.
type sites struct {
	byHost map[string]*site.Site
	other  *site.Site // for all other names, nil for nobody
}

func (s *sites) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	at := s.byHost[strings.ToLower(strings.TrimSuffix(host, "."))]
	if at == nil {
		at = s.other
	}
	if at == nil {
		http.Error(w, "421 there is no site of this name here", http.StatusMisdirectedRequest)
		return
	}
	at.ServeHTTP(w, r)
}

// close lets the directories go.
func (s *sites) close() (err error) {
	if s == nil {
		return nil
	}
	if s.other != nil {
		err = s.other.Close()
	}
	for _, at := range s.byHost {
		err = errors.Join(err, at.Close())
	}
	return err
}

// sites opens the directories.
func (a *app) sites(dirs []served, o *siteOptions) (*sites, error) {
	header, _, err := (&getOptions{getRequest: getRequest{headers: o.headers, agentGiven: true}}).header(nil)
	if err != nil {
		return nil, usage(err)
	}
	delete(header, "User-Agent") // those of a request
	if len(header["Accept"]) == 1 && header.Get("Accept") == "*/*" {
		delete(header, "Accept")
	}
	opts := site.Options{
		Listing: o.listing, SPA: o.spa, Hidden: o.hidden, Plain: !o.compress, MaxAge: time.Duration(o.maxAge),
		Immutable: o.immutable, Origins: o.cors, Header: header, Logger: a.logger(),
	}
	s := &sites{byHost: make(map[string]*site.Site)}
	for _, d := range dirs {
		at, err := site.New(d.dir, opts)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		if d.host == "" {
			s.other = at
		} else {
			s.byHost[d.host] = at
		}
	}
	return s, nil
}

// anyNamed reports whether one of the certificates is for a name.
func anyNamed(leaves []*x509.Certificate, host string) bool {
	for _, leaf := range leaves {
		if leaf.VerifyHostname(host) == nil {
			return true
		}
	}
	return false
}
