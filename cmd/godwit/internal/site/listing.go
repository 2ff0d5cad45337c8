package site

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

// maxListed is how many files of a directory are shown: a page of more is of no use to
// anybody, and all of them are in memory to be sorted.
const maxListed = 10_000

//go:embed listing.html
var listingText string

var listingTemplate = template.Must(template.New("listing").Parse(listingText))

// listed is a line of a listing.
type listed struct {
	Name, Link string
	IsDir      bool
	Bytes      int64
	Size       string
	Modified   time.Time
}

// Date is the time of the last change, as it is shown.
func (l listed) Date() string { return l.Modified.UTC().Format("2006-01-02 15:04") }

// crumb is a directory above.
type crumb struct{ Name, Link string }

// column is a heading, by which a listing may be sorted.
type column struct {
	Title, Link, Class, Sorted string
}

// listing is the page.
type listing struct {
	Path    string
	Crumbs  []crumb
	Columns []column
	Files   []listed
	Up      bool
	More    bool // than are shown
	Summary string
}

// list answers with what is in a directory.
func (s *Site) list(w http.ResponseWriter, r *http.Request, name string) {
	page := listing{Path: "/" + strings.TrimPrefix(name, "."), Up: name != "."}
	var err error
	if page.Files, page.More, err = s.read(name); err != nil {
		s.fail(w, r, page.Path, err)
		return
	}
	by, falling := sorted(page.Files, r.URL.Query())
	page.Columns = columns(by, falling)
	page.Crumbs = crumbs(name)
	page.Summary = summary(page.Files)
	var out bytes.Buffer
	if err := listingTemplate.Execute(&out, page); err != nil {
		s.opts.Logger.Error("the listing failed", "path", page.Path, "error", err)
		http.Error(w, "500 the directory cannot be shown", http.StatusInternalServerError)
		return
	}
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
	if _, given := header["Cache-Control"]; !given {
		header.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(out.Bytes()))
}

// read returns a directory's files that may be served, and whether there are more.
func (s *Site) read(name string) (files []listed, more bool, err error) {
	dir, err := s.root.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer dir.Close()
	entries, err := dir.ReadDir(maxListed + 1)
	if err != nil && err != io.EOF {
		return nil, false, err
	}
	for _, e := range entries[:min(len(entries), maxListed)] {
		full := path.Join(name, e.Name())
		if !s.shown(full) {
			continue
		}
		info, err := e.Info()
		if e.Type()&fs.ModeSymlink != 0 {
			info, err = s.root.Stat(full) // what it leads to, if that is in here
		}
		if err != nil || !info.IsDir() && !info.Mode().IsRegular() {
			continue
		}
		l := listed{Name: e.Name(), IsDir: info.IsDir(), Bytes: info.Size(), Modified: info.ModTime()}
		l.Link = "./" + (&url.URL{Path: l.Name}).EscapedPath()
		if l.Size = formatBytes(l.Bytes); l.IsDir {
			l.Link, l.Name, l.Bytes, l.Size = l.Link+"/", l.Name+"/", 0, ""
		}
		files = append(files, l)
	}
	return files, len(entries) > maxListed, nil
}

// sorted sorts files as a query asks for, directories first.
func sorted(files []listed, query url.Values) (by string, falling bool) {
	by, falling = query.Get("sort"), query.Get("order") == "desc"
	slices.SortFunc(files, func(a, b listed) int {
		if a.IsDir != b.IsDir {
			if a.IsDir {
				return -1
			}
			return 1
		}
		order := 0
		switch by {
		case "size":
			order = cmp.Compare(a.Bytes, b.Bytes)
		case "time":
			order = a.Modified.Compare(b.Modified)
		default:
			by = "name"
		}
		if order == 0 {
			order = cmp.Or(cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
		}
		if falling {
			return -order
		}
		return order
	})
	if by != "size" && by != "time" {
		by = "name"
	}
	return by, falling
}

// columns returns the headings; that of the order there is leads to its reverse.
func columns(by string, falling bool) []column {
	all := []column{{Title: "Name", Class: "name"}, {Title: "Size", Class: "size"}, {Title: "Changed (UTC)", Class: "time"}}
	for i := range all {
		c := &all[i]
		order := "asc"
		if c.Class == by {
			c.Sorted = "ascending"
			if order = "desc"; falling {
				c.Sorted, order = "descending", "asc"
			}
		}
		c.Link = fmt.Sprintf("?sort=%s&order=%s", c.Class, order)
	}
	return all
}

// crumbs returns the directories above, and the one shown, which has no link.
func crumbs(name string) []crumb {
	parts := []string{""}
	if name != "." {
		parts = append(parts, strings.Split(name, "/")...)
	}
	all := make([]crumb, len(parts))
	for i, part := range parts {
		all[i].Name = part + "/"
		if up := len(parts) - 1 - i; up > 0 {
			all[i].Link = strings.Repeat("../", up)
		}
	}
	return all
}

// summary says how many there are.
func summary(files []listed) string {
	dirs, bytes := 0, int64(0)
	for _, f := range files {
		if f.IsDir {
			dirs++
		}
		bytes += f.Bytes
	}
	return fmt.Sprintf("%s, %s, %s", count(dirs, "directory", "directories"), count(len(files)-dirs, "file", "files"), formatBytes(bytes))
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// formatBytes writes a number of bytes with a unit, which is a power of 1024.
func formatBytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	units, value := "KMGTPE", float64(n)/(1<<10)
	for value >= 1023.95 && len(units) > 1 {
		value /= 1 << 10
		units = units[1:]
	}
	return fmt.Sprintf("%.1f %ciB", value, units[0])
}
