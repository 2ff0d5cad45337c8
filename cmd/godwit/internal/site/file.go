package site

import (
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// types are those of extensions that systems do not agree on, or do not know.
var types = map[string]string{
	".avif": "image/avif", ".css": "text/css; charset=utf-8", ".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
	".ico": "image/x-icon", ".js": "text/javascript; charset=utf-8", ".json": "application/json", ".map": "application/json",
	".md": "text/markdown; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".ts": "text/plain; charset=utf-8",
	".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm", ".webmanifest": "application/manifest+json", ".webp": "image/webp",
	".woff": "font/woff", ".woff2": "font/woff2", ".xml": "text/xml; charset=utf-8", ".yaml": "text/plain; charset=utf-8", ".yml": "text/plain; charset=utf-8",
}

// typeOf returns the media type of a file. What is not known is to be saved, and not to be
// guessed from its content.
func typeOf(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if known, ok := types[ext]; ok {
		return known
	}
	if known := mime.TypeByExtension(ext); known != "" {
		return known
	}
	return "application/octet-stream"
}

// file answers with a file's content, in the coding that suits.
func (s *Site) file(w http.ResponseWriter, r *http.Request, name string, info fs.FileInfo, status int) {
	kind := typeOf(name)
	header := w.Header()
	s.setCache(header, name, kind, status)
	c := s.choose(header, r, name, kind, info)
	f, err := s.root.Open(c.name)
	if err != nil {
		s.fail(w, r, "/"+c.name, err)
		return
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		s.fail(w, r, "/"+c.name, fs.ErrNotExist) // it was another file a moment ago
		return
	}
	header.Set("Content-Type", kind)
	if tag := etag(info, c); tag != "" {
		header.Set("ETag", tag)
	}
	if c.coding != "" {
		header.Set("Content-Encoding", c.coding)
	}
	switch {
	case status != http.StatusOK:
		header.Del("ETag") // of what was not asked for
		if c.compress == nil {
			header.Set("Content-Length", strconv.FormatInt(info.Size(), 10))
		}
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			s.copy(w, f, c)
		}
	case c.compress == nil:
		http.ServeContent(w, r, name, info.ModTime(), f)
	default:
		s.compressed(w, r, f, info, c)
	}
}

// compressed answers with a file that is compressed on its way, of which there are no
// ranges.
func (s *Site) compressed(w http.ResponseWriter, r *http.Request, f fs.File, info fs.FileInfo, c choice) {
	header := w.Header()
	header.Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
	if unchanged(r, header.Get("ETag"), info.ModTime()) {
		for _, name := range []string{"Content-Type", "Content-Encoding"} {
			header.Del(name)
		}
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		s.copy(w, f, c)
	}
}

// copy sends a file. An error ends the response before its end, so that clients see it.
func (s *Site) copy(w http.ResponseWriter, f fs.File, c choice) {
	if c.compress == nil {
		_, _ = io.Copy(w, f) // Content-Length tells the client
		return
	}
	encoder := c.compress(w)
	_, err := io.Copy(encoder, f)
	if err == nil {
		err = encoder.Close()
	}
	if err != nil {
		panic(http.ErrAbortHandler)
	}
}

// unchanged reports whether the client has the file already (RFC 9110, Section 13.2.2).
func unchanged(r *http.Request, tag string, modified time.Time) bool {
	if match := r.Header.Get("If-None-Match"); match != "" {
		for _, known := range strings.Split(match, ",") {
			if known = strings.TrimSpace(known); known == "*" || strings.TrimPrefix(known, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
	return err == nil && !modified.Truncate(time.Second).After(since)
}

// etag names a version of a file, and of its coding. What is compressed here may come out
// otherwise with another release, which makes the tag a weak one.
func etag(info fs.FileInfo, c choice) string {
	if info.ModTime().Unix() <= 1 {
		return "" // of a file system without times
	}
	tag := fmt.Sprintf("%x-%x", info.ModTime().UnixNano(), info.Size())
	switch {
	case c.compress != nil:
		return `W/"` + tag + "-" + c.coding + `"`
	case c.coding != "":
		return `"` + tag + "-" + c.coding + `"`
	}
	return `"` + tag + `"`
}

// setCache says for how long a file may be used without asking again.
func (s *Site) setCache(header http.Header, name, kind string, status int) {
	if _, given := header["Cache-Control"]; given {
		return
	}
	value := "no-cache" // to be asked for again, which costs a round trip if it is the same
	switch {
	case status != http.StatusOK || strings.HasPrefix(kind, "text/html"):
	case s.immutable("/" + name):
		value = "public, max-age=31536000, immutable"
	case s.opts.MaxAge > 0:
		value = fmt.Sprintf("public, max-age=%d", int64(s.opts.MaxAge/time.Second))
	}
	header.Set("Cache-Control", value)
}

func (s *Site) immutable(name string) bool {
	for _, prefix := range s.opts.Immutable {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
