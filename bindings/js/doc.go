// Package js holds the npm package godwit, which is JavaScript in src over the addon in
// addon, and has Go's part of its tests: it builds the addon and runs the suites in test
// with every runtime.
package js
