// Package dialogue plays conversations that are written down as text: what each side
// does, and below it what it leads to, packet by packet and event by event. The scripts
// in testdata document the protocol as this project speaks it, and hold it to that:
//
//	# A comment.
//
//	network rtt=40ms
//	run 40ms
//	----
//	     0s client sends Initial 0: CRYPTO[0+51] PADDING
//	   20ms server sends Initial 0: ACK[0-0] CRYPTO[0+3] PADDING
//
// Lines of commands are followed by "----" and by what they printed, up to an empty
// line. A test compares it; with -dialogue.update it writes it instead:
//
//	go test ./internal/test/dialogue -dialogue.update
//
// The commands:
//
//	network rtt=D [http] [webtransport] [retry] [versions=2,1]    comes first; the client dials
//	run D                        lets the time D pass
//	lose client|server N         the next N datagrams from that side do not arrive
//	move ADDRESS                 a NAT gives the client another address
//
//	SIDE open bidi|uni           opens a stream, of the session where there is one
//	SIDE write ID "text" [fin]   SIDE reset ID CODE    SIDE stop ID CODE
//	SIDE datagram "text"         SIDE close CODE "text"
//
//	client get PATH              client put PATH "text"    client session PATH
//	server hint PATH "link"      server answer PATH STATUS "text"    server accept PATH
//	SIDE leave D                 says good-bye with GOAWAY, and closes when all is done
package dialogue

import (
	"errors"
	"fmt"
	"strings"
)

// Play plays a script and returns it with what its commands print now.
func Play(script string) (string, error) {
	var out strings.Builder
	t := newTalk()
	var commands []string
	recorded := false
	for line := range strings.Lines(script) {
		text := strings.TrimSpace(line)
		switch {
		case recorded && text != "":
			continue // what was printed before
		case text == "----":
			out.WriteString(line)
			for _, c := range commands {
				if err := t.do(c); err != nil {
					return "", fmt.Errorf("%s: %w", c, err)
				}
			}
			out.WriteString(t.printed())
			commands, recorded = nil, true
			continue
		case text != "" && !strings.HasPrefix(text, "#"):
			commands = append(commands, text)
		case len(commands) > 0:
			return "", fmt.Errorf("%s: no ---- below it", commands[0])
		}
		recorded = false
		out.WriteString(line)
	}
	if len(commands) > 0 {
		return "", errors.New("commands at the end without ---- below them")
	}
	return out.String(), nil
}
