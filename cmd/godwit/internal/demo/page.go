package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"net/http"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// servePage sends the page, which says what protocol it came over.
func servePage(w http.ResponseWriter, r *http.Request) {
	var out bytes.Buffer
	data := struct {
		Proto, Remote string
		HTTP3         bool
	}{r.Proto, r.RemoteAddr, r.ProtoMajor == 3}
	if err := page.Execute(&out, data); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store") // or a reload would not show the new protocol
	_, _ = out.WriteTo(w)                       // fails only when the client is gone
}
