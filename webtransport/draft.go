package webtransport

import "fmt"

// Draft is a version of draft-ietf-webtrans-http3, or a family of versions that
// look the same on the wire.
type Draft uint8

// The drafts in use, by the first number of each family.
const (
	Draft02 Draft = 2  // 2 to 6: Chromium and Firefox
	Draft07 Draft = 7  // 7 to 12
	Draft13 Draft = 13 // 13 and 14, with flow control of sessions: Safari
	Draft15 Draft = 15 // 15 and later
)

// String returns the draft's name.
func (d Draft) String() string { return fmt.Sprintf("draft-ietf-webtrans-http3-%02d", uint8(d)) }
