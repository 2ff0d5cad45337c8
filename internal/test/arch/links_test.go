package arch

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	// markLink is a link or a picture in Markdown or in its HTML.
	markLink = regexp.MustCompile(`\]\(([^()\s]+)\)|(?:src|href)="([^"]+)"`)
	heading  = regexp.MustCompile(`(?m)^#{1,6} +(.*?)\s*$`)
	fenced   = regexp.MustCompile("(?ms)^ *(```+|~~~+).*?^ *(```+|~~~+) *$")
	inCode   = regexp.MustCompile("`[^`\n]*`")
	noSlug   = regexp.MustCompile(`[^\p{L}\p{N}\s_-]`)
)

// TestLinks: links between the documents lead to files, and to headings, that exist.
func TestLinks(t *testing.T) {
	documents := make(map[string]string)
	checkout := os.DirFS(root)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "bindings/*/*.md", "examples/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			rel, err := filepath.Rel(root, name)
			if err != nil {
				t.Fatal(err)
			}
			rel = filepath.ToSlash(rel)
			documents[rel] = readDocument(t, rel)
		}
	}
	links := 0
	for name, text := range documents {
		text = inCode.ReplaceAllString(fenced.ReplaceAllString(text, ""), "")
		for _, m := range markLink.FindAllStringSubmatch(text, -1) {
			link := m[1] + m[2]
			if strings.Contains(link, "://") || strings.HasPrefix(link, "mailto:") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(link, "#")
			target := name
			if file != "" {
				target = path.Join(path.Dir(name), file)
			}
			if strings.HasPrefix(target, "..") {
				t.Errorf("%s: %s leads out of the project", name, link)
			} else if _, err := fs.Stat(checkout, target); err != nil {
				t.Errorf("%s: %s: %v", name, link, err)
			} else if anchor != "" && !hasHeading(documents[target], anchor) {
				t.Errorf("%s: %s: there is no such heading", name, link)
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links were found", links)
	}
}

// hasHeading reports whether a document has a heading that an anchor leads to.
func hasHeading(document, anchor string) bool {
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(document, ""), -1) {
		slug := strings.ReplaceAll(strings.ToLower(noSlug.ReplaceAllString(m[1], "")), " ", "-")
		if slug == anchor {
			return true
		}
	}
	return false
}
