package main

import (
	"errors"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// content is what a request sends: pieces, one after the other.
type content struct {
	pieces []piece
	kind   string // its Content-Type, "" for none
}

// piece is a text, or a file.
type piece struct {
	text  string
	file  string // stdoutName for standard input, "" for text
	strip bool   // line ends and zero bytes are left out, as curl's -d does
}

// The kinds of data, which differ in what @ means and what becomes of a file.
type dataKind int

const (
	dataPlain   dataKind = iota // -d
	dataRaw                     // --data-raw
	dataBinary                  // --data-binary
	dataEncoded                 // --data-urlencode
)

// datum is what one of these flags gives.
type datum struct {
	kind dataKind
	text string
}

// dataFlag adds to what all of them give, in their order.
type dataFlag struct {
	kind dataKind
	all  *[]datum
}

func addDataFlag(flags *pflag.FlagSet, all *[]datum) {
	flags.VarP(&dataFlag{dataPlain, all}, "data", "d", "send `data`, or a file's content without line ends with @file, or standard input's with @-")
}

// Set adds a value.
func (f *dataFlag) Set(text string) error {
	*f.all = append(*f.all, datum{f.kind, text})
	return nil
}

// String returns nothing: there is no default.
func (f *dataFlag) String() string { return "" }

// Type is the flag's placeholder in the help.
func (f *dataFlag) Type() string { return "data" }

// piece returns what is sent for it.
func (d datum) piece() (piece, error) {
	file, isFile := strings.CutPrefix(d.text, "@")
	switch {
	case d.kind == dataEncoded:
		text, err := d.encoded()
		return piece{text: text}, err
	case d.kind == dataRaw || !isFile:
		return piece{text: d.text}, nil
	}
	return piece{file: file, strip: d.kind == dataPlain}, nil
}

// encoded is what --data-urlencode stands for.
func (d datum) encoded() (string, error) {
	i := strings.IndexAny(d.text, "=@")
	if i < 0 {
		return url.QueryEscape(d.text), nil
	}
	name, value := d.text[:i], d.text[i+1:]
	if d.text[i] == '@' {
		data, err := os.ReadFile(value)
		if err != nil {
			return "", &exitError{curlRead, err}
		}
		value = string(data)
	}
	if value = url.QueryEscape(value); name == "" {
		return value, nil
	}
	return name + "=" + value, nil
}

// content returns what the flags ask to send, nil for nothing.
func (o *getRequest) content() (*content, error) {
	given := 0
	for _, n := range []int{len(o.data), len(o.json), len(o.forms), len(o.uploads)} {
		given += min(n, 1)
	}
	switch {
	case given == 0 || o.asQuery && len(o.data) > 0 && given == 1:
		return nil, nil
	case given > 1:
		return nil, errors.New("-d, --json, -F and -T cannot be combined")
	case o.head:
		return nil, errors.New("-I sends no data")
	case len(o.forms) > 0:
		return formContent(o.forms)
	}
	c := &content{kind: "application/x-www-form-urlencoded"} // as curl does
	for i, d := range o.data {
		if i > 0 {
			c.pieces = append(c.pieces, piece{text: "&"})
		}
		p, err := d.piece()
		if err != nil {
			return nil, err
		}
		c.pieces = append(c.pieces, p)
	}
	for _, text := range o.json {
		c.kind = "application/json"
		p, _ := datum{dataBinary, text}.piece() // fails for dataEncoded only
		c.pieces = append(c.pieces, p)
	}
	return c, nil
}

// query returns what -G adds to a URL's query.
func (o *getRequest) query() (string, error) {
	if !o.asQuery {
		return "", nil
	}
	var parts []string
	for _, d := range o.data {
		p, err := d.piece()
		if err != nil {
			return "", err
		}
		if p.file == stdoutName {
			return "", errors.New("-G takes no standard input")
		}
		r, _, err := p.open(nil)
		if err != nil {
			return "", &exitError{curlRead, err}
		}
		text, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return "", err
		}
		parts = append(parts, string(text))
	}
	return strings.Join(parts, "&"), nil
}

// once reports whether the content can be sent only once.
func (c *content) once() bool {
	for _, p := range c.pieces {
		if p.file == stdoutName {
			return true
		}
	}
	return false
}

// open returns the content as a stream, and its length or -1.
func (c *content) open(stdin io.Reader) (io.ReadCloser, int64, error) {
	var all joined
	var readers []io.Reader
	length := int64(0)
	for _, p := range c.pieces {
		r, n, err := p.open(stdin)
		if err != nil {
			return nil, 0, &exitError{curlRead, errors.Join(err, all.Close())}
		}
		readers, all.closers = append(readers, r), append(all.closers, r)
		if length += n; n < 0 || length < 0 {
			length = -1 << 62 // whatever is added, it stays unknown
		}
	}
	all.Reader = io.MultiReader(readers...)
	return &all, max(length, -1), nil
}

// joined is several readers as one.
type joined struct {
	io.Reader
	closers []io.Closer
}

func (j *joined) Close() (err error) {
	for _, c := range j.closers {
		err = errors.Join(err, c.Close())
	}
	return err
}

// open returns the piece as a stream, and its length or -1.
func (p piece) open(stdin io.Reader) (io.ReadCloser, int64, error) {
	switch {
	case p.file == "":
		return io.NopCloser(strings.NewReader(p.text)), int64(len(p.text)), nil
	case p.file == stdoutName && p.strip:
		return io.NopCloser(stripping{stdin}), -1, nil
	case p.file == stdoutName:
		return io.NopCloser(stdin), -1, nil
	}
	f, err := os.Open(p.file)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, errors.Join(err, f.Close())
	case p.strip:
		return struct {
			io.Reader
			io.Closer
		}{stripping{f}, f}, -1, nil
	case !info.Mode().IsRegular():
		return f, -1, nil
	}
	return f, info.Size(), nil
}

// stripping leaves out line ends and zero bytes.
type stripping struct{ io.Reader }

func (s stripping) Read(p []byte) (int, error) {
	for {
		n, err := s.Reader.Read(p)
		kept := p[:0]
		for _, b := range p[:n] {
			if b != '\r' && b != '\n' && b != 0 {
				kept = append(kept, b)
			}
		}
		if len(kept) > 0 || err != nil || len(p) == 0 {
			return len(kept), err
		}
	}
}
