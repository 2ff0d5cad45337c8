package http3

import (
	"net/http"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/quic/event"
)

// expectContinue makes the upload wait, if the request wants it and the
// Transport allows for it.
func (st *clientStream) expectContinue() {
	if toContinue, _ := expectation(st.req.Header); toContinue && st.conn.transport.ExpectContinueTimeout > 0 {
		st.upload.proceed = make(chan bool, 1)
	}
}

// limitExpectation has the content sent after the Transport's time, if the server does not
// ask for it: it seems not to know how to (RFC 9110, Section 10.1.1). On the loop.
func (st *clientStream) limitExpectation(t event.Turn) {
	if st.upload.proceed != nil {
		t.SetTimer(&st.timer, t.Now()+st.conn.transport.ExpectContinueTimeout, event.TimerFunc(func(event.Turn) {
			st.decideUpload(http.StatusContinue)
		}))
	}
}

// awaitContinue waits until the content is to be sent, and reports whether it is.
func (st *clientStream) awaitContinue() bool {
	if st.upload.proceed == nil {
		return true
	}
	if st.trace.Wait100Continue != nil {
		st.trace.Wait100Continue()
	}
	select {
	case send := <-st.upload.proceed:
		return send
	case <-st.upload.stream.Context().Done():
		return false
	}
}

// decideUpload tells the upload what the response means for it: status 100 asks
// for the content, and a final one that comes instead can do without.
func (st *clientStream) decideUpload(status int) {
	if st.upload.proceed == nil || (status != http.StatusContinue && status < 200) {
		return
	}
	select {
	case st.upload.proceed <- status == http.StatusContinue:
	default: // decided already
	}
}

// forgoUpload ends a request whose content the server did not wait for. It is not
// cancelled: the response is of use.
func (st *clientStream) forgoUpload() {
	_ = st.closeRequestBody()
	st.upload.stream.CancelWrite(uint64(h3.NoError))
}
