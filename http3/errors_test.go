package http3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/quic"
)

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&quic.StreamError{Code: 0x10b, Remote: true}, "http3: peer reset the request: H3_REQUEST_REJECTED"},
		{&quic.StreamError{Code: 0x10c}, "http3: reset the request: H3_REQUEST_CANCELLED"},
		{&quic.ApplicationError{Code: 0x100, Reason: "bye", Remote: true}, "http3: peer closed the connection: H3_NO_ERROR (bye)"},
		{&h3.ConnError{Code: h3.IDError, Reason: "why"}, "http3: closed the connection: H3_ID_ERROR (why)"},
		{&h3.StreamError{Code: h3.MessageError, Reason: "why"}, "http3: reset the request: H3_MESSAGE_ERROR (why)"},
		{&qpack.Error{Code: qpack.DecompressionFailed, Reason: "why"}, "http3: closed the connection: QPACK_DECOMPRESSION_FAILED (why)"},
		{h3.ErrSectionTooLarge, "http3: reset the request: H3_EXCESSIVE_LOAD (header or trailer section is larger than allowed)"},
		{io.ErrUnexpectedEOF, "unexpected EOF"},
	} {
		got := describe(fmt.Errorf("wrapped: %w", tt.err))
		if got.Error() != tt.want && got.Error() != "wrapped: "+tt.want {
			t.Errorf("%v, want %s", got, tt.want)
		}
		if !errors.Is(got, tt.err) {
			t.Errorf("%v does not lead to %v", got, tt.err)
		}
	}
}

func TestRequestErrors(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	const addr = "a.example:443"
	for _, tt := range []struct {
		cause   error
		want    string
		timeout bool
	}{
		{io.ErrUnexpectedEOF, "http3: a.example:443: unexpected EOF", false},
		{&Error{Code: ErrCodeNoError, Remote: true}, "http3: a.example:443: peer reset the request: H3_NO_ERROR", false},
		{errors.New("quic: dial a.example:443: no route"), "http3: quic: dial a.example:443: no route", false},
		{&net.OpError{Op: "dial", Err: context.DeadlineExceeded}, "http3: a.example:443: dial: context deadline exceeded", true},
	} {
		got := requestFailed(ctx, addr, tt.cause)
		var timeout net.Error
		if got.Error() != tt.want || !errors.Is(got, tt.cause) || !errors.As(got, &timeout) || timeout.Timeout() != tt.timeout {
			t.Errorf("%v, want %s", got, tt.want)
		}
	}
	why := errors.New("no patience")
	cancel(why)
	if got := requestFailed(ctx, addr, why); got != why {
		t.Errorf("%v, want %v", got, why)
	}
}

// TestErrorCodes: those of the API are those of the wire.
func TestErrorCodes(t *testing.T) {
	for code, want := range map[ErrorCode]h3.ErrorCode{
		ErrCodeNoError: h3.NoError, ErrCodeInternalError: h3.InternalError, ErrCodeExcessiveLoad: h3.ExcessiveLoad,
		ErrCodeRequestRejected: h3.RequestRejected, ErrCodeRequestCancelled: h3.RequestCancelled,
		ErrCodeMessageError: h3.MessageError, ErrCodeVersionFallback: h3.VersionFallback,
	} {
		if h3.ErrorCode(code) != want || code.String() != want.String() {
			t.Errorf("%v, want %v", code, want)
		}
	}
}
