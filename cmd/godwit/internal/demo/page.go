package demo

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
)

// pageFiles are the page and what it is made of.
//
//go:embed page
var pageFiles embed.FS

var pageTemplate = template.Must(template.ParseFS(pageFiles, "page/page.html"))

// addPage adds the page at a path and its parts below /page/.
func addPage(mux *http.ServeMux, at string, opts Options) {
	mux.HandleFunc("GET "+at, func(w http.ResponseWriter, r *http.Request) { servePage(w, r, opts) })
	parts := http.FileServerFS(pageFiles)
	mux.HandleFunc("GET /page/{name}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("name") == "page.html" {
			http.NotFound(w, r) // a template
			return
		}
		setPageHeader(w.Header())
		parts.ServeHTTP(w, r)
	})
}

// setPageHeader adds what the page and its parts have in common. They load nothing
// from elsewhere; and browsers give a page that is isolated from other origins a
// clock for its round-trip times that is ten to fifty times finer.
func setPageHeader(h http.Header) {
	h.Set("Cache-Control", "no-store") // or a reload would not show the new protocol
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("X-Content-Type-Options", "nosniff")
}

// servePage sends the page, which says what protocol it came over and knows the
// server's certificate.
func servePage(w http.ResponseWriter, r *http.Request, opts Options) {
	var out bytes.Buffer
	hash := ""
	if opts.CertHash != nil {
		hash = opts.CertHash()
	}
	data := struct {
		Proto, Remote, Host, CertHash, Version string
		HTTP3                                  bool
	}{strings.TrimSuffix(r.Proto, ".0"), r.RemoteAddr, r.Host, hash, opts.Version, r.ProtoMajor == 3}
	if err := pageTemplate.Execute(&out, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	setPageHeader(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.WriteTo(w) // fails only when the client is gone
}
