// Package compliance holds what the specifications demand of this project: every
// sentence with MUST, MUST NOT, SHALL, SHALL NOT or REQUIRED of the documents that it
// implements, each with the tests that hold it or the reason why none does.
//
// The lists are in requirements, a file for each document:
//
//	# 2.1
//	> An endpoint MUST NOT reuse a stream ID within a connection.
//	test: internal/engine.TestStreamIDs
//
//	# 5.1.1
//	> …
//	reason: this end never asks for it
//
// A sentence may have several tests, and both tests and a reason. `make compliance`
// prints how many there are of each kind. Where the documents are at hand, in the folder
// that SPECS names or ../shared/specs, the lists are held against them: a sentence that
// one of them lacks fails the test, and so does one that no document has.
//
//	go test ./internal/test/compliance -compliance.add
//
// appends what is missing, without a test.
package compliance
