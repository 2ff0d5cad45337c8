// Package site serves the files of a directory, fit for a public port:
//
//	files, err := site.New("public", site.Options{Listing: true})
//	if err != nil {
//		return err
//	}
//	defer files.Close()
//	http3.ListenAndServe(":443", files)
//
// Nothing outside of the directory is served, not even through symbolic links, and no file
// whose name, or a directory's above it, begins with a dot, but for /.well-known/ (RFC
// 8615). A directory's page is its index.html; /404.html is the page of what is not there.
package site

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Options say how files are served.
type Options struct {
	// Listing shows directories without an index.html.
	Listing bool
	// SPA answers with /index.html what is no file and has no extension, for pages whose
	// paths are a script's.
	SPA bool
	// Hidden serves files whose names begin with a dot, too.
	Hidden bool
	// Plain compresses nothing; files that are compressed already are found all the same.
	Plain bool
	// MaxAge is for how long clients may use a file that is no page without asking again.
	MaxAge time.Duration
	// Immutable are the beginnings of paths, like /assets/, below which a file never
	// changes, as its name does: clients keep it for a year.
	Immutable []string
	// Origins are those whose pages may read the files (CORS); "*" is all of them.
	Origins []string
	// Header is added to all responses.
	Header http.Header
	// Logger is told what is refused or fails, and why; nil stands for slog.Default.
	Logger *slog.Logger
}

// Site is an http.Handler, for any goroutine.
type Site struct {
	root *os.Root
	opts Options
}

// New returns a Site with the files of a directory, which stays open until Close.
func New(dir string, opts Options) (*Site, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("directory to serve: %w", err)
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	return &Site{root: root, opts: opts}, nil
}

// Close lets the directory go. Requests fail from then on.
func (s *Site) Close() error { return s.root.Close() }

// allowedMethods are those that a file has.
const allowedMethods = "GET, HEAD, OPTIONS"

// ServeHTTP answers a request for a file or a directory.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-Content-Type-Options", "nosniff")
	for name, values := range s.opts.Header {
		header[name] = slices.Clone(values)
	}
	s.allowOrigin(header, r)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.get(w, r)
	case http.MethodOptions:
		header.Set("Allow", allowedMethods)
		w.WriteHeader(http.StatusNoContent)
	default:
		header.Set("Allow", allowedMethods)
		http.Error(w, "405 method not allowed", http.StatusMethodNotAllowed)
	}
}

// allowOrigin lets pages of other origins read (https://fetch.spec.whatwg.org/#http-cors-protocol).
func (s *Site) allowOrigin(header http.Header, r *http.Request) {
	if len(s.opts.Origins) == 0 {
		return
	}
	origin := r.Header.Get("Origin")
	switch {
	case slices.Contains(s.opts.Origins, "*"):
		origin = "*"
	case !slices.Contains(s.opts.Origins, origin):
		header.Add("Vary", "Origin")
		return
	default:
		header.Add("Vary", "Origin")
	}
	header.Set("Access-Control-Allow-Origin", origin)
	header.Set("Access-Control-Expose-Headers", "Content-Length, Content-Range, ETag, Last-Modified")
	if r.Method == http.MethodOptions {
		header.Set("Access-Control-Allow-Methods", "GET, HEAD")
		header.Set("Access-Control-Allow-Headers", "Range, If-None-Match, If-Modified-Since, Cache-Control")
		header.Set("Access-Control-Max-Age", "86400") // what browsers keep at most
	}
}

// get answers with what is at the request's path.
func (s *Site) get(w http.ResponseWriter, r *http.Request) {
	asked := path.Clean("/" + r.URL.Path)
	name := strings.TrimPrefix(asked, "/")
	if name == "" {
		name = "."
	}
	if !s.shown(name) {
		s.missing(w, r, asked)
		return
	}
	info, err := s.root.Stat(name)
	slash := strings.HasSuffix(r.URL.Path, "/")
	switch {
	case err != nil:
		s.fail(w, r, asked, err)
	case info.IsDir() && !slash:
		redirect(w, r, asked+"/")
	case info.IsDir():
		s.directory(w, r, name)
	case slash:
		s.missing(w, r, asked)
	case !info.Mode().IsRegular():
		s.opts.Logger.Warn("not served, as it is no regular file", "path", asked, "mode", info.Mode().String())
		s.missing(w, r, asked)
	default:
		s.file(w, r, name, info, http.StatusOK)
	}
}

// shown reports whether a name may be served, as far as dots go.
func (s *Site) shown(name string) bool {
	if s.opts.Hidden || name == "." {
		return true
	}
	for i, part := range strings.Split(name, "/") {
		if strings.HasPrefix(part, ".") && !(i == 0 && part == ".well-known") {
			return false
		}
	}
	return true
}

// redirect leads to another path of the same host: asked is clean, and so does not begin
// with two slashes.
func redirect(w http.ResponseWriter, r *http.Request, asked string) {
	to := &url.URL{Path: asked, RawQuery: r.URL.RawQuery}
	w.Header().Set("Location", to.String())
	w.WriteHeader(http.StatusMovedPermanently)
}

// directory answers with a directory's page, or what is in it.
func (s *Site) directory(w http.ResponseWriter, r *http.Request, name string) {
	index := path.Join(name, "index.html")
	info, err := s.root.Stat(index)
	switch {
	case err == nil && info.Mode().IsRegular():
		s.file(w, r, index, info, http.StatusOK)
	case err != nil && !absent(err):
		s.fail(w, r, "/"+index, err)
	case s.opts.Listing:
		s.list(w, r, name)
	default:
		s.missing(w, r, "/"+name)
	}
}

// absent reports whether an error says that there is no such file.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || errors.Is(err, syscall.ENOTDIR) ||
		errors.Is(err, syscall.ENAMETOOLONG) || errors.Is(err, syscall.EINVAL)
}

// leaves reports whether an error says that a path leads out of the directory, by a link. Package
// os has no value for it.
func leaves(err error) bool {
	failed := (*fs.PathError)(nil)
	return errors.As(err, &failed) && failed.Err.Error() == "path escapes from parent"
}

// fail answers when a file cannot be opened. What is not the client's fault is logged.
func (s *Site) fail(w http.ResponseWriter, r *http.Request, asked string, err error) {
	switch {
	case absent(err):
	case leaves(err):
		s.opts.Logger.Warn("not served, as a symbolic link leads out of the directory", "path", asked)
	case errors.Is(err, syscall.ELOOP):
		s.opts.Logger.Warn("not served, as symbolic links lead in a circle", "path", asked)
	case errors.Is(err, fs.ErrPermission):
		s.opts.Logger.Warn("not served, as it may not be read", "path", asked, "error", err)
		http.Error(w, "403 forbidden", http.StatusForbidden)
		return
	default:
		s.opts.Logger.Error("not served", "path", asked, "error", err)
		http.Error(w, "500 the file cannot be read now", http.StatusInternalServerError)
		return
	}
	s.missing(w, r, asked)
}

// missing answers when there is no file: with the page of SPA, or /404.html.
func (s *Site) missing(w http.ResponseWriter, r *http.Request, asked string) {
	name, status := "404.html", http.StatusNotFound
	if s.opts.SPA && path.Ext(asked) == "" {
		name, status = "index.html", http.StatusOK
	}
	if info, err := s.root.Stat(name); err == nil && info.Mode().IsRegular() {
		s.file(w, r, name, info, status)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	http.Error(w, "404 not found", http.StatusNotFound)
}
