package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/godwit-quic/godwit/internal/devcert"
)

// certCheck is how often files of certificates are looked at: a renewal is used soon, and
// looking costs nothing.
const certCheck = 5 * time.Second

// certificates are what a server shows: those of files, which are read again when they
// change, or one of its own making, which is made again before it ends.
type certificates struct {
	app   *app
	pairs []certFiles
	hosts []string // of one of its own making; nil for localhost

	current atomic.Pointer[[]tls.Certificate]
	seen    []string // what the files looked like when they were read
}

// certificates reads what --cert and --key name, or makes a certificate for hosts.
func (a *app) certificates(certs, keys, hosts []string) (*certificates, error) {
	c := &certificates{app: a, hosts: hosts}
	for i := range max(len(certs), len(keys)) {
		var pair certFiles
		if i < len(certs) {
			pair.cert = certs[i]
		}
		if i < len(keys) {
			pair.key = keys[i]
		}
		c.pairs = append(c.pairs, pair)
	}
	return c, c.load()
}

// load reads the files, or makes a certificate. After an error what there was is kept.
func (c *certificates) load() error {
	seen := c.look()
	var all []tls.Certificate
	for _, pair := range c.pairs {
		cert, err := devcert.Load(pair.cert, pair.key)
		if err != nil && (pair.cert == "" || pair.key == "") {
			err = fmt.Errorf("%w: --cert and --key go together", err)
		}
		if err != nil {
			return err
		}
		all = append(all, cert)
	}
	if len(c.pairs) == 0 {
		cert, err := c.app.ownCertificate(c.hosts, time.Now())
		if err != nil {
			return err
		}
		all = append(all, cert)
	}
	c.current.Store(&all)
	c.seen = seen
	return nil
}

// look returns what the files look like.
func (c *certificates) look() (seen []string) {
	for _, pair := range c.pairs {
		for _, path := range []string{pair.cert, pair.key} {
			text := path
			if info, err := os.Stat(path); err == nil {
				text = fmt.Sprint(path, info.Size(), info.ModTime().UnixNano())
			}
			seen = append(seen, text)
		}
	}
	return seen
}

// reload reads the files once more, and says how that went.
func (c *certificates) reload() {
	if len(c.pairs) == 0 && !c.changed(time.Now()) {
		return // there are no files to read
	}
	before := c.hash()
	if err := c.load(); err != nil {
		c.app.complain("the certificate stays as it is: %v", err)
		return
	}
	if now := c.hash(); now != before {
		c.app.complain("using another certificate, SHA-256 %s", now)
	}
}

// changed reports whether there is reason to reload.
func (c *certificates) changed(now time.Time) bool {
	if len(c.pairs) == 0 {
		return !now.Before(devcert.DueFrom(c.leaves()[0]))
	}
	return strings.Join(c.look(), "\n") != strings.Join(c.seen, "\n")
}

// watch reloads when files have changed, or when hangup says so, until ctx ends.
func (c *certificates) watch(ctx context.Context, every time.Duration, hangup <-chan struct{}) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case now := <-ticker.C:
			if c.changed(now) {
				c.reload()
				c.seen = c.look() // what is wrong is said once
			}
		case <-hangup:
			c.reload()
		case <-ctx.Done():
			return
		}
	}
}

// get is for tls.Config.GetCertificate.
func (c *certificates) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	all := *c.current.Load()
	for i := range all {
		if hello.SupportsCertificate(&all[i]) == nil {
			return &all[i], nil
		}
	}
	return &all[0], nil // the client will say what is wrong with it
}

// leaves returns the certificates themselves.
func (c *certificates) leaves() (all []*x509.Certificate) {
	for _, cert := range *c.current.Load() {
		all = append(all, cert.Leaf)
	}
	return all
}

// hash returns the SHA-256 of the first.
func (c *certificates) hash() string {
	return devcert.FormatHash(sha256.Sum256((*c.current.Load())[0].Certificate[0]))
}

// config returns a server's configuration, in which certificates may change.
func (c *certificates) config() *tls.Config {
	return &tls.Config{GetCertificate: c.get, KeyLogWriter: c.app.keyLogWriter()}
}

// ownCertificate returns a certificate for hosts, or localhost: the one that the user's
// cache directory has, so that browsers warn of it once and not at each start, or a new one,
// which is kept there.
func (a *app) ownCertificate(hosts []string, now time.Time) (tls.Certificate, error) {
	name := "localhost"
	if len(hosts) > 0 {
		sum := sha256.Sum256([]byte(strings.Join(hosts, "\n")))
		name = hex.EncodeToString(sum[:8])
	}
	files := certFiles{cert: filepath.Join(a.cacheDir, name+".pem"), key: filepath.Join(a.cacheDir, name+".key.pem")}
	if a.cacheDir != "" {
		cert, err := devcert.Load(files.cert, files.key)
		if err == nil && devcert.CheckPinnable(cert.Leaf, now) == nil && now.Before(devcert.DueFrom(cert.Leaf)) {
			return cert, nil
		}
	}
	cert, _, err := devcert.Make(now, hosts...)
	if err != nil || a.cacheDir == "" {
		return cert, err
	}
	if err := errors.Join(os.MkdirAll(a.cacheDir, 0o700), devcert.Save(files.cert, files.key, cert)); err != nil {
		a.complain("the certificate is for this run only: %v", err)
	}
	return cert, nil
}
