package devcert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Load reads a certificate chain and its key from PEM files. The errors name the
// file and what is wrong with it: not there, not readable, no PEM of the right
// kind in it, or a key that does not belong to the certificate.
func Load(certPath, keyPath string) (tls.Certificate, error) {
	certPEM, err := readPEM("certificate", certPath, "CERTIFICATE")
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := readPEM("key", keyPath, "PRIVATE KEY")
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("certificate %s with key %s: %w", certPath, keyPath, err)
	}
	return cert, nil
}

// LoadLeaf reads the first certificate of a PEM file: the server's own. The errors
// are like those of Load.
func LoadLeaf(path string) (*x509.Certificate, error) {
	data, err := readPEM("certificate", path, "CERTIFICATE")
	if err != nil {
		return nil, err
	}
	for {
		var block *pem.Block
		block, data = pem.Decode(data)
		if !strings.HasSuffix(block.Type, "CERTIFICATE") {
			continue // a key in the same file, for example; readPEM has seen another block
		}
		leaf, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", path, err)
		}
		return leaf, nil
	}
}

// readPEM reads a file that holds a PEM block whose type ends in kind.
func readPEM(what, path, kind string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("no " + what + " file is given")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the %s: %w", what, err) // the error names the path
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, fmt.Errorf("%s file %s holds no PEM block of type %s", what, path, kind)
		}
		if strings.HasSuffix(block.Type, kind) {
			return data, nil
		}
	}
}
