package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"strings"
)

// offset returns where -C goes on: at the number that it gives, or with - at the end of
// the file.
func (o *getOptions) offset(output string) (int64, error) {
	switch o.continueAt {
	case "":
		return 0, nil
	case "-":
		if output == "" || !isFile(output) {
			return 0, nil
		}
		info, err := os.Stat(output)
		if errors.Is(err, fs.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	n, err := strconv.ParseInt(o.continueAt, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("-C: %q is neither an offset in bytes nor -", o.continueAt)
	}
	return n, nil
}

// openOutput opens the file that a response goes to; nil says that it is complete.
func (t *transfer) openOutput(resp *http.Response) (*os.File, error) {
	if t.offset == 0 {
		return os.Create(t.plan.output)
	}
	from, size, ok := contentRange(resp.Header.Get("Content-Range"))
	switch {
	case resp.StatusCode == http.StatusPartialContent && ok && from == t.offset:
		return t.openAt(t.offset)
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && ok && size == t.offset:
		return nil, nil // there is nothing more of it
	case resp.StatusCode >= 400 && resp.StatusCode != http.StatusRequestedRangeNotSatisfiable:
		return nil, &exitError{exitHTTPStatus, fmt.Errorf("the server answered %s; %s is as it was", resp.Status, t.plan.output)}
	}
	return nil, &exitError{curlRange, fmt.Errorf("the server does not send what comes after byte %d; %s is as it was", t.offset, t.plan.output)}
}

// openAt opens the file to write at an offset, which it must reach to.
func (t *transfer) openAt(offset int64) (*os.File, error) {
	file, err := os.OpenFile(t.plan.output, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if _, err = file.Seek(offset, 0); err == nil && t.plan.output != os.DevNull {
		err = file.Truncate(offset)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// contentRange reads the field of this name (RFC 9110, Section 14.4); a size of -1 is
// unknown, and so is from if nothing of it was sent.
func contentRange(value string) (from, size int64, ok bool) {
	value, ok = strings.CutPrefix(value, "bytes ")
	span, whole, found := strings.Cut(value, "/")
	if !ok || !found {
		return 0, 0, false
	}
	from, size = -1, -1
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil {
		size = n
	}
	if first, _, found := strings.Cut(span, "-"); found {
		n, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return 0, 0, false
		}
		from = n
	}
	return from, size, true
}

// partial adds to the error of a download that was cut short what there is of it.
func (t *transfer) partial(err error) error {
	n := t.downloaded.Load()
	if n == 0 || !isFile(t.plan.output) {
		return err
	}
	return fmt.Errorf("%w; %s has %s: -C - goes on from there", err, t.plan.output, formatBytes(t.offset+n))
}
