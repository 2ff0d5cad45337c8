package main

import (
	"bufio"
	"compress/flate"
	"compress/zlib"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// acceptedCodings are those that --compressed asks for.
const acceptedCodings = "zstd, br, gzip, deflate"

// maxZstdWindow is what a decoder has to have at most (RFC 9659, Section 3), in bytes.
const maxZstdWindow = 8 << 20

// maxCodings is how many codings a content may have one upon the other. Servers use one.
const maxCodings = 4

// decode takes the codings from a response's content that its header names.
func decode(resp *http.Response) error {
	codings := strings.Split(strings.Join(resp.Header["Content-Encoding"], ","), ",")
	if len(codings) > maxCodings {
		return &exitError{curlEncoding, fmt.Errorf("the content has %d codings one upon the other", len(codings))}
	}
	for i := len(codings) - 1; i >= 0; i-- { // in the order in which they were applied
		coding := strings.ToLower(strings.TrimSpace(codings[i]))
		if coding == "" || coding == "identity" {
			continue
		}
		open, ok := decoders[coding]
		if !ok {
			return &exitError{curlEncoding, fmt.Errorf("the content is encoded as %q", coding)}
		}
		resp.Body = &decoder{body: resp.Body, open: open}
		resp.ContentLength = -1
	}
	return nil
}

var decoders = map[string]func(io.Reader) (io.Reader, error){
	"gzip":    openGzip,
	"x-gzip":  openGzip,
	"br":      func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	"deflate": openDeflate,
	"zstd": func(r io.Reader) (io.Reader, error) {
		d, err := zstd.NewReader(r, zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	},
}

func openGzip(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }

// openDeflate reads zlib's format, or what many servers send instead (RFC 9110, Section
// 8.4.1.2).
func openDeflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	head, err := b.Peek(2)
	if err == nil && head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}

// decoder decodes a content from when it is first read: before, there may be none of it.
type decoder struct {
	body io.ReadCloser
	open func(io.Reader) (io.Reader, error)
	from io.Reader // nil before
}

func (d *decoder) Read(p []byte) (n int, err error) {
	if d.from == nil {
		if d.from, err = d.open(d.body); err != nil {
			return 0, d.fail(err)
		}
	}
	n, err = d.from.Read(p)
	return n, d.fail(err)
}

// fail says that the fault is the content's, which it may not be if it was cut short.
func (d *decoder) fail(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return fmt.Errorf("decoding the content: %w", err)
}

func (d *decoder) Close() error {
	if c, ok := d.from.(io.Closer); ok {
		_ = c.Close() // a decoder's, of what nobody reads any more
	}
	return d.body.Close()
}
