package port

import (
	"bytes"
	"testing"
)

// TestUnreadWhenOver: a stream of QUIC's may be over before the host has been told of all
// that came on it, since it has no credit left, and is told nevertheless.
func TestUnreadWhenOver(t *testing.T) {
	h := open(t, Config{})
	_, address := h.listen("protocol", "h3")
	client := h.connect(address, "protocol", "h3", "window", "1024")
	server := h.want(EvAccepted, 0).conn
	h.want(EvConnected, client)
	id, content := h.handle(), noise(1, 3000)
	h.do(CmdRequest, flagFin, client, id, get("GET", "/"))
	r := h.want(EvRequest, server)
	h.do(CmdRespond, flagFin, server, r.id, response("200", content))
	h.want(EvResponse, client)
	got := h.want(EvData, client).payload
	h.want(EvEnded, server) // all has been acknowledged
	for len(got) < len(content) {
		h.do(CmdCredit, 0, client, id, le64(1024))
		got = append(got, h.want(EvData, client).payload...)
	}
	if !bytes.Equal(got, content) {
		t.Errorf("%d bytes of %d", len(got), len(content))
	}
	if e := h.want(EvEnded, client); e.id != id || e.failure().kind != OK {
		t.Errorf("end of %d: %+v", e.id, e.failure())
	}
}
