// Package interop tests Godwit against other implementations of QUIC and
// HTTP/3: quic-go in the same process; Bun, aioquic and libcurl in processes of
// their own. It is a module by itself, so that the peers never show in the main
// module's dependencies.
//
//	go test ./...
//
// Bun comes from the npm registry, aioquic and a libcurl with HTTP/3 from PyPI;
// they are installed on first use into the user's cache directory. Without npm or
// Python's venv the tests that need them are left out; `make test` lists them. Where CI
// is set, they fail.
package interop
