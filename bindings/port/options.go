package port

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/godwit-quic/godwit/internal/qpack"
)

// options are those of a listener or a connection, as bindings/c/README.md lists them.
// Each getter takes the option that it is asked for; rest finds those that nobody knows.
type options struct {
	values map[string]string
	err    *failure // the first that is wrong
}

func readOptions(payload []byte) *options {
	o := &options{values: make(map[string]string)}
	fields, _, err := consumeFields([]qpack.Field(nil), payload)
	if err != nil {
		o.err = fault(ErrOption, "the options are not whole")
		return o
	}
	for _, f := range fields {
		if _, twice := o.values[f.Name]; twice {
			o.wrong(f.Name, "is there twice")
		}
		o.values[f.Name] = f.Value
	}
	return o
}

// wrong notes that an option is.
func (o *options) wrong(name, what string) {
	if o.err == nil {
		o.err = fault(ErrOption, "option %s %s", name, what)
	}
}

// text returns an option.
func (o *options) text(name string) string {
	v := o.values[name]
	delete(o.values, name)
	return v
}

// choice returns an option that is one of few words, the first by default.
func (o *options) choice(name string, words ...string) string {
	v, ok := o.values[name]
	delete(o.values, name)
	if !ok {
		return words[0]
	}
	for _, w := range words {
		if v == w {
			return v
		}
	}
	o.wrong(name, "is not one of "+strings.Join(words, ", ")+": "+strconv.Quote(v))
	return words[0]
}

// list returns an option with commas.
func (o *options) list(name string) []string {
	v := o.text(name)
	if v == "" {
		return nil
	}
	return strings.Split(v, ",")
}

// number returns an option that is a number from low to high, and def without it.
func (o *options) number(name string, def, low, high int64) int64 {
	v, ok := o.values[name]
	delete(o.values, name)
	if !ok {
		return def
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil || n < low || n > high {
		o.wrong(name, "is no number from "+strconv.FormatInt(low, 10)+" to "+strconv.FormatInt(high, 10)+": "+strconv.Quote(v))
		return def
	}
	return n
}

// maxMillis is a year: what is longer is a mistake.
const maxMillis = 365 * 24 * 3600 * 1000

// millis returns an option that is a time, 0 without it.
func (o *options) millis(name string) time.Duration {
	return time.Duration(o.number(name, 0, 0, maxMillis)) * time.Millisecond
}

// on returns a switch.
func (o *options) on(name string, def bool) bool {
	n := int64(0)
	if def {
		n = 1
	}
	return o.number(name, n, 0, 1) == 1
}

// certificate returns the options cert and key, nil without them.
func (o *options) certificate() *tls.Certificate {
	cert, key := o.text("cert"), o.text("key")
	switch {
	case cert == "" && key == "":
		return nil
	case key == "":
		o.wrong("key", "is missing")
		return nil
	case cert == "":
		o.wrong("cert", "is missing")
		return nil
	}
	c, err := tls.X509KeyPair([]byte(cert), []byte(key))
	if err != nil {
		o.wrong("cert or key", "cannot be used: "+err.Error())
		return nil
	}
	return &c
}

// authorities returns the option ca, nil without it.
func (o *options) authorities() *x509.CertPool {
	pem := o.text("ca")
	if pem == "" {
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(pem)) {
		o.wrong("ca", "has no certificate")
	}
	return pool
}

// hashes returns the option certificate_hashes.
func (o *options) hashes() (hashes [][sha256.Size]byte) {
	for _, text := range o.list("certificate_hashes") {
		b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(text), ":", ""))
		if err != nil || len(b) != sha256.Size {
			o.wrong("certificate_hashes", "has what is no SHA-256 in hexadecimal digits: "+strconv.Quote(text))
			return nil
		}
		hashes = append(hashes, [sha256.Size]byte(b))
	}
	return hashes
}

// rest returns what is wrong with the options; those that nobody has asked for are.
func (o *options) rest() *failure {
	for name := range o.values {
		o.wrong(name, "is not known")
	}
	return o.err
}
