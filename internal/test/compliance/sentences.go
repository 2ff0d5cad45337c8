package compliance

import (
	"regexp"
	"strings"
)

// requirement is a sentence that demands something.
type requirement struct {
	section string // its number or, in a document without numbers, its heading
	quote   string // the sentence, with single spaces
}

var (
	demand = regexp.MustCompile(`\b(MUST|SHALL|REQUIRED)\b`)
	// A heading of an RFC as text begins in the first column, unlike its line of the
	// table of contents.
	textHeading = regexp.MustCompile(`^(?:Appendix )?([0-9A-Z]+(?:\.[0-9]+)*)\.  ?\S`)
	markHeading = regexp.MustCompile(`^#+ (.*?)(?: *\{#[^}]*\})?$`)
	spaces      = regexp.MustCompile(`\s+`)
	listMark    = regexp.MustCompile(`^(?:[*o+-]|\(?[0-9]+[.)])\s+`)
)

// requirements returns the demands of a document, in their order. Of the paragraph that
// defines the key words it takes none.
func requirements(document string, markdown bool) []requirement {
	var found []requirement
	var section string
	heading := textHeading
	if markdown {
		heading = markHeading
	}
	var paragraph []string
	flush := func() {
		for _, s := range sentences(paragraph) {
			if demand.MatchString(s) && !strings.Contains(s, `"MUST"`) {
				found = append(found, requirement{section, s})
			}
		}
		paragraph = nil
	}
	for line := range strings.Lines(document) {
		line = strings.TrimRight(line, " \r\n")
		if m := heading.FindStringSubmatch(line); m != nil {
			flush()
			section = m[1]
			continue
		}
		text := strings.TrimLeft(line, " ")
		if text == "" || listMark.MatchString(text) {
			flush()
		}
		if text != "" {
			paragraph = append(paragraph, listMark.ReplaceAllString(text, ""))
		}
	}
	flush()
	return found
}

// sentenceEnd is where one sentence ends and another may begin.
var sentenceEnd = regexp.MustCompile(`[.!?]["')]?\s+(?:[A-Z"'(*_\x60{]|0x)`)

// notEnds are words after which a period ends no sentence.
var notEnds = []string{"e.g.", "i.e.", "cf.", "vs.", "etc.", "Sec."}

// sentences splits a paragraph. A line that ends in a hyphen goes on without a space.
func sentences(lines []string) []string {
	text := spaces.ReplaceAllString(strings.ReplaceAll(strings.Join(lines, " "), "- ", "-"), " ")
	var list []string
	for begin, from := 0, 0; text != ""; {
		at := sentenceEnd.FindStringIndex(text[from:])
		if at == nil {
			return append(list, strings.TrimSpace(text[begin:]))
		}
		end := from + at[0] + 1
		if c := text[end]; c == '"' || c == '\'' || c == ')' {
			end++
		}
		from = end
		if !endsIn(text[:end], notEnds) {
			list = append(list, strings.TrimSpace(text[begin:end]))
			begin = end
		}
	}
	return list
}

func endsIn(s string, suffixes []string) bool {
	for _, suffix := range suffixes {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return false
}
