package main

import (
	"errors"
	"io"
	"os"
	"strings"
)

// content is what a request sends: a text, or a file.
type content struct {
	text string
	file string // stdoutName for standard input, "" for text
}

// content returns what -d and --json ask to send, nil for nothing.
func (o *getOptions) content() (*content, error) {
	pieces := o.data
	if o.jsonGiven {
		pieces = append(pieces, o.json)
	}
	switch {
	case !o.dataGiven && !o.jsonGiven:
		return nil, nil
	case o.dataGiven && o.jsonGiven:
		return nil, errors.New("-d and --json cannot be combined")
	case o.head:
		return nil, errors.New("-I sends no data")
	}
	for _, piece := range pieces {
		if file, ok := strings.CutPrefix(piece, "@"); ok {
			if len(pieces) > 1 {
				return nil, errors.New("a file to send with @ must be the only data")
			}
			return &content{file: file}, nil
		}
	}
	return &content{text: strings.Join(pieces, "&")}, nil
}

// open returns the content as a stream, and its length or -1.
func (c *content) open(stdin io.Reader) (io.ReadCloser, int64, error) {
	switch c.file {
	case "":
		return io.NopCloser(strings.NewReader(c.text)), int64(len(c.text)), nil
	case stdoutName:
		return io.NopCloser(stdin), -1, nil
	}
	f, err := os.Open(c.file)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return f, -1, nil
	}
	return f, info.Size(), nil
}
