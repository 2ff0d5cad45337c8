package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/internal/devcert"
)

// The files of a certificate unless others are named.
const (
	defaultCert = "cert.pem"
	defaultKey  = "key.pem"
)

func (a *app) certCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cert",
		Short: "Make, show and renew certificates to develop with",
		Long: `Make, show and renew certificates to develop with. They are self-signed, with an
ECDSA P-256 key, and valid for 13 days: what browsers ask of a certificate that a
page names by its hash, in serverCertificateHashes of WebTransport, instead of
having it signed by an authority.`,
	}
	cmd.AddCommand(a.certMakeCommand(), a.certShowCommand(), a.certRenewCommand())
	return cmd
}

// certFiles are where a certificate and its key are.
type certFiles struct {
	cert, key string
	force     bool
}

func (f *certFiles) addFlags(cmd *cobra.Command, force string) {
	flags := cmd.Flags()
	flags.StringVar(&f.cert, "cert", defaultCert, "PEM `file` of the certificate")
	flags.StringVar(&f.key, "key", defaultKey, "PEM `file` of its key")
	flags.BoolVarP(&f.force, "force", "f", false, force)
}

func (a *app) certMakeCommand() *cobra.Command {
	var files certFiles
	cmd := &cobra.Command{
		Use:   "make [HOST...]",
		Short: "Make a certificate for hosts, or for localhost",
		Long: `Make a certificate for host names and IP addresses, or for localhost, 127.0.0.1
and ::1 when none are given, and say how to use it.`,
		Example: `  godwit cert make
  godwit cert make dev.example.com '*.dev.example.com' 192.0.2.7
  godwit cert make --cert tls/dev.pem --key tls/dev.key`,
		RunE: func(_ *cobra.Command, hosts []string) error { return a.certMake(&files, hosts) },
	}
	files.addFlags(cmd, "replace files that are there")
	return cmd
}

// certMake makes a certificate where there is none.
func (a *app) certMake(files *certFiles, hosts []string) error {
	if files.cert == files.key {
		return &exitError{exitUsage, errors.New("--cert and --key must be two files")}
	}
	for _, path := range []string{files.cert, files.key} {
		_, err := os.Lstat(path)
		if err == nil && !files.force {
			return fmt.Errorf("%s is there already: renew it with godwit cert renew, or replace it with --force", path)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return a.writeCert(files, hosts)
}

// writeCert makes a certificate, writes it, and says how to use it.
func (a *app) writeCert(files *certFiles, hosts []string) error {
	cert, hash, err := devcert.Make(time.Now(), hosts...)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if err := devcert.Save(files.cert, files.key, cert); err != nil {
		return err
	}
	_, err = io.WriteString(a.stdout, terminal.Safe(certUse(files, cert.Leaf, hash)))
	return err
}
