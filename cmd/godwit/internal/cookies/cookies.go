// Package cookies keeps cookies between runs of a program, in the file format that curl
// and wget have from Netscape:
//
//	jar := cookies.New()
//	err := jar.Load("cookies.txt")
//	client := &http.Client{Jar: jar}
//	err = jar.Save("cookies.txt")
package cookies

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Jar is an http.CookieJar whose cookies can be written to a file. Any goroutine may use
// it. Which cookies are accepted, and which requests get them, is up to net/http's jar.
type Jar struct {
	jar *cookiejar.Jar

	mu      sync.Mutex
	entries []entry
}

var _ http.CookieJar = (*Jar)(nil)

// entry is a line of the file.
type entry struct {
	domain           string // without a dot before it
	subdomains       bool
	path             string
	secure, httpOnly bool
	expires          int64 // in seconds since 1970, 0 for the end of the session
	name, value      string
}

// New returns an empty Jar.
func New() *Jar {
	jar, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
	if err != nil {
		panic(err) // there is no such error
	}
	return &Jar{jar: jar}
}

// Cookies returns those for a request.
func (j *Jar) Cookies(u *url.URL) []*http.Cookie { return j.jar.Cookies(u) }

// SetCookies takes those of a response in.
func (j *Jar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	j.jar.SetCookies(u, cookies)
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range cookies {
		e := entry{domain: strings.ToLower(u.Hostname()), path: c.Path, secure: c.Secure, httpOnly: c.HttpOnly, name: c.Name, value: c.Value}
		if domain := strings.ToLower(strings.TrimPrefix(c.Domain, ".")); domain != "" {
			e.domain, e.subdomains = domain, true
		}
		if e.path == "" || e.path[0] != '/' {
			e.path = defaultPath(u.Path)
		}
		switch {
		case c.MaxAge > 0:
			e.expires = time.Now().Unix() + int64(c.MaxAge)
		case c.MaxAge == 0 && !c.Expires.IsZero():
			e.expires = c.Expires.Unix()
		}
		j.entries = slices.DeleteFunc(j.entries, func(old entry) bool {
			return old.domain == e.domain && old.path == e.path && old.name == e.name
		})
		if j.has(e, u.Hostname()) {
			j.entries = append(j.entries, e)
		}
	}
}

// has reports whether the jar has kept a cookie.
func (j *Jar) has(e entry, host string) bool {
	for _, c := range j.jar.Cookies(&url.URL{Scheme: "https", Host: host, Path: e.path}) {
		if c.Name == e.name && c.Value == e.value {
			return true
		}
	}
	return false
}

// defaultPath is where a cookie without a path is for (RFC 6265, Section 5.1.4).
func defaultPath(p string) string {
	if p == "" || p[0] != '/' {
		return "/"
	}
	return path.Dir(p)
}

// httpOnly is before the domain of a cookie that scripts do not see.
const httpOnly = "#HttpOnly_"

// fields are those of a line, apart from each other by tabs: domain, whether its
// subdomains get the cookie, path, whether only https does, expiry, name and value.
const fields = 7

// maxFile is how large a file of cookies may be, in bytes: far more than browsers keep.
const maxFile = 64 << 20

// Load reads a file. What has expired is left out.
func (j *Jar) Load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(io.LimitReader(f, maxFile))
	lines.Buffer(nil, 1<<20)
	for number := 1; lines.Scan(); number++ {
		if err := j.load(lines.Text()); err != nil {
			return fmt.Errorf("%s:%d: %w", path, number, err)
		}
	}
	return lines.Err()
}

func (j *Jar) load(line string) error {
	line, hidden := strings.CutPrefix(line, httpOnly)
	if line == "" || line[0] == '#' && !hidden {
		return nil
	}
	f := strings.Split(line, "\t")
	if len(f) != fields {
		return fmt.Errorf("a cookie has %d fields between tabs, not %d", fields, len(f))
	}
	expires, err := strconv.ParseInt(f[4], 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a time in seconds", f[4])
	}
	host := strings.TrimPrefix(f[0], ".")
	c := &http.Cookie{Path: f[2], Secure: f[3] == "TRUE", HttpOnly: hidden, Name: f[5], Value: f[6]}
	if f[1] == "TRUE" {
		c.Domain = host
	}
	if expires > 0 {
		c.Expires = time.Unix(expires, 0)
	}
	j.SetCookies(&url.URL{Scheme: "https", Host: host, Path: c.Path}, []*http.Cookie{c})
	return nil
}

// Write writes all cookies that have not expired.
func (j *Jar) Write(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# Netscape HTTP Cookie File\n# Written by godwit, and read by curl.\n\n")
	j.mu.Lock()
	defer j.mu.Unlock()
	truth := map[bool]string{false: "FALSE", true: "TRUE"}
	for _, e := range j.entries {
		if e.expires != 0 && e.expires <= time.Now().Unix() {
			continue
		}
		domain := e.domain
		if e.subdomains {
			domain = "." + domain
		}
		if e.httpOnly {
			domain = httpOnly + domain
		}
		fmt.Fprintf(&b, "%s\n", strings.Join([]string{
			domain, truth[e.subdomains], e.path, truth[e.secure], strconv.FormatInt(e.expires, 10), e.name, e.value,
		}, "\t"))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Save writes them to a file that only its owner may read.
func (j *Jar) Save(path string) error {
	var b bytes.Buffer
	if err := j.Write(&b); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o600)
}
