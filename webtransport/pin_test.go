package webtransport

import (
	"crypto/sha256"
	"testing"
)

func TestCertificateHashes(t *testing.T) {
	ts := serve(t, nil, nil)
	hash := sha256.Sum256(ts.Server.TLSConfig.Certificates[0].Certificate[0])
	good := &Dialer{ServerCertificateHashes: [][sha256.Size]byte{{1}, hash}}
	s, _, err := good.Dial(testContext(t), "https://"+ts.addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.CloseWithError(0, "")
	bad := &Dialer{ServerCertificateHashes: [][sha256.Size]byte{{1}}}
	if _, _, err := bad.Dial(testContext(t), "https://"+ts.addr, nil); err == nil {
		t.Error("a certificate with another hash is taken")
	}
}
