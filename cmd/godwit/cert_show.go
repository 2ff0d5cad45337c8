package main

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/internal/devcert"
)

type certShowOptions struct{ hash, json bool }

func (a *app) certShowCommand() *cobra.Command {
	var opts certShowOptions
	cmd := &cobra.Command{
		Use:   "show [FILE]",
		Short: "Show a certificate, its hash, and the line for a page that uses it",
		Long: `Show the first certificate of a PEM file, which is cert.pem unless another is
named: the hosts it is for, how long it is valid, its SHA-256, and the JavaScript
by which a page opens a WebTransport session with a server that has it; or why
browsers would not accept it by its hash.`,
		Example: `  godwit cert show
  godwit wt --cert-hash "$(godwit cert show --hash)" https://localhost:4433/wt/echo`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			path := defaultCert
			if len(args) > 0 {
				path = args[0]
			}
			return a.certShow(path, &opts)
		},
	}
	cmd.Flags().BoolVar(&opts.hash, "hash", false, "print nothing but the SHA-256")
	addFormatFlags(cmd.Flags(), &opts.json, "print it as `text|json`")
	return cmd
}

func (a *app) certShow(path string, opts *certShowOptions) error {
	if opts.hash && opts.json {
		return &exitError{exitUsage, errors.New("--hash and --json cannot be combined")}
	}
	leaf, err := devcert.LoadLeaf(path)
	if err != nil {
		return err
	}
	facts := newCertFacts(leaf, time.Now())
	switch {
	case opts.hash:
		_, err = fmt.Fprintln(a.stdout, facts.SHA256)
	case opts.json:
		enc := json.NewEncoder(terminal.JSON(a.stdout))
		enc.SetEscapeHTML(false) // or the JavaScript's arrow would be unreadable
		err = enc.Encode(facts)
	default:
		_, err = io.WriteString(a.stdout, terminal.Safe(facts.String()))
	}
	return err
}

// certFacts are what there is to say about a certificate.
type certFacts struct {
	Hosts     []string  `json:"hosts"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Valid     bool      `json:"valid"`
	Key       string    `json:"key"`
	SHA256    string    `json:"sha256"`
	// JavaScript opens a session from a page; "" for a certificate that browsers
	// do not accept by its hash.
	JavaScript string `json:"javascript,omitempty"`
	// Problem is why they do not.
	Problem string `json:"problem,omitempty"`

	left string // "12 days left"
}

func newCertFacts(leaf *x509.Certificate, now time.Time) *certFacts {
	hash := sha256.Sum256(leaf.Raw)
	facts := &certFacts{
		Hosts: devcert.Hosts(leaf), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		Valid: devcert.CheckValid(leaf, now) == nil, Key: devcert.KeyName(leaf), SHA256: devcert.FormatHash(hash),
		left: formatLeft(leaf, now),
	}
	if err := devcert.CheckPinnable(leaf, now); err != nil {
		facts.Problem = err.Error()
	} else {
		facts.JavaScript = javaScript(hash)
	}
	return facts
}

// String describes the certificate in several lines.
func (f *certFacts) String() string {
	var b strings.Builder
	hosts := strings.Join(f.Hosts, ", ")
	if hosts == "" {
		hosts = "none: no client will accept it"
	}
	fmt.Fprintf(&b, "hosts    %s\n", hosts)
	fmt.Fprintf(&b, "valid    from %s to %s: %s\n", formatTime(f.NotBefore), formatTime(f.NotAfter), f.left)
	fmt.Fprintf(&b, "key      %s\n", f.Key)
	fmt.Fprintf(&b, "SHA-256  %s\n", f.SHA256)
	if f.Problem != "" {
		fmt.Fprintf(&b, "page     no browser accepts it by its hash: %s (godwit cert make makes one)\n", f.Problem)
	} else {
		fmt.Fprintf(&b, "page     %s\n", f.JavaScript)
	}
	return b.String()
}
