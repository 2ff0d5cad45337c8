package main

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/internal/devcert"
)

func (a *app) certRenewCommand() *cobra.Command {
	var files certFiles
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "Replace a certificate that does not last much longer",
		Long: `Replace a certificate and its key by new ones for the same hosts when less than a
third of its time is left; otherwise say so and change nothing, so that this can
be run every day. Servers have to be started again and pages need the new hash.

A certificate that an authority has signed is left alone.`,
		Args: none,
		RunE: func(*cobra.Command, []string) error { return a.certRenew(&files) },
	}
	files.addFlags(cmd, "renew it now")
	return cmd
}

func (a *app) certRenew(files *certFiles) error {
	// The pair is loaded so as not to overwrite the key of something else.
	pair, err := devcert.Load(files.cert, files.key)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w (godwit cert make makes a certificate)", err)
	}
	if err != nil {
		return err
	}
	leaf := pair.Leaf
	switch hosts := devcert.Hosts(leaf); {
	case !devcert.SelfSigned(leaf):
		return fmt.Errorf("%s was signed by %q: renew it there", files.cert, leaf.Issuer)
	case len(hosts) == 0:
		return fmt.Errorf("%s is for no host: make another with godwit cert make HOST --force", files.cert)
	case !files.force && time.Now().Before(devcert.DueFrom(leaf)):
		_, err := fmt.Fprintf(a.stdout, "%s is not due before %s (%s); --force renews it now\n",
			terminal.Line(files.cert), formatTime(devcert.DueFrom(leaf)), formatLeft(leaf, time.Now()))
		return err
	default:
		return a.writeCert(files, hosts)
	}
}
