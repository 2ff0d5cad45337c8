package main

import (
	"bytes"
	"fmt"
	"mime"
	"mime/multipart"
	"net/textproto"
	"path/filepath"
	"strings"
)

// formField is a part of a form, as -F gives it.
type formField struct {
	name, text   string
	file         string // instead of text, "" for none
	asText       bool   // the file's content, without its name
	kind         string // its Content-Type, "" for what fits
	filename     string
	filenameSaid bool
}

// formFlag adds parts to a form.
type formFlag struct {
	all     *[]formField
	literal bool
}

// Set parses curl's notation.
func (f *formFlag) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return fmt.Errorf("%q is not like name=content", text)
	}
	field := formField{name: name, text: value}
	if !f.literal {
		value, options := cutOptions(value)
		for _, option := range options {
			key, what, _ := strings.Cut(option, "=")
			switch strings.TrimSpace(key) {
			case "type":
				field.kind = what
			case "filename":
				field.filename, field.filenameSaid = strings.Trim(what, `"`), true
			default:
				return fmt.Errorf("%q: ;%s is neither ;type= nor ;filename=", text, option)
			}
		}
		field.text = value
		if value != "" && (value[0] == '@' || value[0] == '<') {
			field.text, field.file, field.asText = "", strings.Trim(value[1:], `"`), value[0] == '<'
		}
	}
	*f.all = append(*f.all, field)
	return nil
}

// cutOptions cuts ;type= and ;filename= from a value; other semicolons are part of it.
func cutOptions(value string) (string, []string) {
	at := len(value)
	for _, key := range []string{";type=", ";filename="} {
		if i := strings.Index(value, key); i >= 0 {
			at = min(at, i)
		}
	}
	if at == len(value) {
		return value, nil
	}
	var options []string
	for _, part := range strings.Split(value[at+1:], ";") {
		if n := len(options); n > 0 && !strings.HasPrefix(part, "type=") && !strings.HasPrefix(part, "filename=") {
			options[n-1] += ";" + part // a parameter of the type
			continue
		}
		options = append(options, part)
	}
	return value[:at], options
}

// String returns nothing: there is no default.
func (f *formFlag) String() string { return "" }

// Type is the flag's placeholder in the help.
func (f *formFlag) Type() string { return "name=content" }

// formContent returns a form (RFC 7578).
func formContent(fields []formField) (*content, error) {
	var head bytes.Buffer
	w := multipart.NewWriter(&head)
	c := &content{kind: w.FormDataContentType()}
	cut := func() {
		c.pieces = append(c.pieces, piece{text: head.String()})
		head.Reset()
	}
	for _, f := range fields {
		if _, err := w.CreatePart(f.header()); err != nil {
			return nil, err
		}
		cut()
		c.pieces = append(c.pieces, piece{text: f.text, file: f.file})
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	cut()
	return c, nil
}

var quoteEscaper = strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A") // as browsers do

// header returns the part's fields.
func (f *formField) header() textproto.MIMEHeader {
	disposition := `form-data; name="` + quoteEscaper.Replace(f.name) + `"`
	filename, kind := f.filename, f.kind
	if f.file != "" && !f.asText && !f.filenameSaid {
		filename = filepath.Base(f.file)
	}
	if filename != "" {
		disposition += `; filename="` + quoteEscaper.Replace(filename) + `"`
		if kind == "" {
			kind = mime.TypeByExtension(filepath.Ext(filename))
		}
		if kind == "" {
			kind = "application/octet-stream"
		}
	}
	header := textproto.MIMEHeader{"Content-Disposition": {disposition}}
	if kind != "" {
		header["Content-Type"] = []string{kind}
	}
	return header
}
