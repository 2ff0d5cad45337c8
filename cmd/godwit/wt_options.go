package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/wtclient"
)

type wtOptions struct {
	messages     []wtclient.Message // in the order of their flags
	lines        string
	linesGiven   bool
	stream       bool
	ping         bool // any of its flags was given
	count, size  int
	interval     time.Duration
	wait         time.Duration
	json, quiet  bool
	insecure     bool
	cacert       string
	hashes       hashFlag
	headers      []string
	origin       string
	subprotocols []string
	draft        int
	timeout      seconds
}

func (o *wtOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&messageFlag{wtclient.Datagram, &o.messages}, "datagram", "send `text` as a datagram")
	flags.Var(&messageFlag{wtclient.Bidi, &o.messages}, "bidi", "send `text` by a bidirectional stream, and show the answer")
	flags.Var(&messageFlag{wtclient.Uni, &o.messages}, "uni", "send `text` by a unidirectional stream")
	flags.StringVar(&o.lines, "lines", string(wtclient.Datagram), "send each line of standard input as a datagram, or by a stream: `datagram|bidi|uni`")
	flags.BoolVar(&o.stream, "stream", false, "send standard input by one bidirectional stream, and write its answer to standard output")
	flags.DurationVar(&o.wait, "wait", time.Second, "end when all is sent and nothing has come for so long")
	flags.IntVarP(&o.count, "count", "c", 0, "measure round trips with so many datagrams, 0 for no end")
	flags.DurationVarP(&o.interval, "interval", "i", time.Second, "measure round trips with a datagram every so often")
	flags.IntVar(&o.size, "size", wtclient.MinPingSize, "bytes of each of them")
	addFormatFlags(flags, &o.json, "print everything that happens, and a summary as the last, as `text|json`, an object in a line")
	flags.BoolVarP(&o.quiet, "quiet", "q", false, "print what comes without labels, and of --count the summary only")
	flags.VarP(&o.timeout, "timeout", "m", "end after so many seconds, or a duration like 500ms, with exit code 1 if something was still to be done")
	flags.BoolVarP(&o.insecure, "insecure", "k", false, "accept every certificate")
	flags.StringVar(&o.cacert, "cacert", "", "PEM `file` with certificates to trust instead of the system's")
	flags.Var(&o.hashes, "cert-hash", "accept the certificate with this `SHA-256`, as godwit cert show and serve print it")
	flags.StringArrayVar(&o.subprotocols, "subprotocol", nil, "offer this `name` to the server, the best first")
	flags.StringVar(&o.origin, "origin", "", "say that the session is a page's of this `origin`, like https://example.com")
	flags.StringArrayVarP(&o.headers, "header", "H", nil, "request header `\"Name: value\"`")
	flags.IntVar(&o.draft, "draft", 0, "speak this draft only: `2|7|13|15`, the first of each family")
}

// checkCombination refuses flags that contradict each other or make no sense.
func (o *wtOptions) checkCombination() error {
	switch {
	case o.ping && (o.linesGiven || o.stream || len(o.messages) > 0):
		return errors.New("--count and --interval send datagrams of their own: not with --datagram, --bidi, --uni, --lines or --stream")
	case o.stream && (o.linesGiven || len(o.messages) > 0):
		return errors.New("--stream sends nothing else: not with --datagram, --bidi, --uni or --lines")
	case o.stream && (o.json || o.quiet):
		return errors.New("--stream writes nothing but the answer: not with --json or --quiet")
	case o.json && o.quiet:
		return errors.New("--json and --quiet cannot be combined")
	case o.count < 0 || o.interval < 0 || o.wait < 0 || o.size < wtclient.MinPingSize:
		return fmt.Errorf("--count, --interval and --wait must not be negative, and --size at least %d", wtclient.MinPingSize)
	case o.insecure && len(o.hashes) > 0:
		return errors.New("-k accepts every certificate, --cert-hash only one")
	}
	switch wtclient.Kind(o.lines) {
	case wtclient.Datagram, wtclient.Bidi, wtclient.Uni:
	default:
		return fmt.Errorf("--lines must be datagram, bidi or uni, not %q", o.lines)
	}
	switch o.draft {
	case 0, 2, 7, 13, 15:
		return nil
	}
	return fmt.Errorf("--draft must be 2, 7, 13 or 15, the first of a family, not %d", o.draft)
}

// messageFlag adds messages of one kind to those of all.
type messageFlag struct {
	kind wtclient.Kind
	all  *[]wtclient.Message
}

// Set adds a message.
func (f *messageFlag) Set(text string) error {
	*f.all = append(*f.all, wtclient.Message{Kind: f.kind, Text: text})
	return nil
}

// String returns nothing: there is no default.
func (f *messageFlag) String() string { return "" }

// Type is the flag's placeholder in the help.
func (f *messageFlag) Type() string { return "text" }

// hashFlag is a flag for SHA-256 hashes of certificates. It may be given again.
type hashFlag [][sha256.Size]byte

// Set adds a hash in hexadecimal digits, with or without colons.
func (f *hashFlag) Set(text string) error {
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("%q is not a SHA-256 of %d hexadecimal digits", text, 2*sha256.Size)
	}
	*f = append(*f, [sha256.Size]byte(sum))
	return nil
}

// String returns nothing: there is no default.
func (f *hashFlag) String() string { return "" }

// Type is the flag's placeholder in the help.
func (f *hashFlag) Type() string { return "SHA-256" }

var (
	_ pflag.Value = (*messageFlag)(nil)
	_ pflag.Value = (*hashFlag)(nil)
)
