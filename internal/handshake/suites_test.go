package handshake

import (
	"slices"
	"testing"
	_ "unsafe" // for go:linkname

	"github.com/godwit-quic/godwit/internal/protect"
)

// crypto/tls offers no way to choose among the suites of TLS 1.3, but keeps
// these names for those who must.

//go:linkname defaultCipherSuitesTLS13 crypto/tls.defaultCipherSuitesTLS13
var defaultCipherSuitesTLS13 []uint16

//go:linkname defaultCipherSuitesTLS13NoAES crypto/tls.defaultCipherSuitesTLS13NoAES
var defaultCipherSuitesTLS13NoAES []uint16

// forceSuite leaves crypto/tls with one suite for the rest of the test.
func forceSuite(t *testing.T, s protect.Suite) {
	t.Helper()
	saved, savedNoAES := slices.Clone(defaultCipherSuitesTLS13), slices.Clone(defaultCipherSuitesTLS13NoAES)
	t.Cleanup(func() { defaultCipherSuitesTLS13, defaultCipherSuitesTLS13NoAES = saved, savedNoAES })
	defaultCipherSuitesTLS13 = []uint16{uint16(s)}
	defaultCipherSuitesTLS13NoAES = []uint16{uint16(s)}
}
