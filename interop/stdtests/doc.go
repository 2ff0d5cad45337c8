// Package stdtests runs the standard library's own tests of net/http over Godwit: those tests
// of a client with a server that net/http runs for each version of HTTP, here for HTTP/3.
//
//	make stdtests
//
// The release of Go that has them comes from the module proxy. Nothing of it is copied: an
// overlay (go help build) changes what few lines have to change, and puts Godwit into its
// vendor folder, with stand-ins in testdata/shim for golang.org/x/net/http3 and quic, of which
// net/http's tests make use. Tests of our own, for what net/http and Godwit have to agree on
// and net/http does not test, are in testdata/shim/nethttp.
//
// Each test runs in a process of its own, since some never end. expected.txt says of every
// one what is expected of it; a test that does better or worse fails.
package stdtests
