package port

import "github.com/godwit-quic/godwit/quic"

type httpConn struct{ *conn }

func newHTTPConn(c *conn, t *quic.Turn) *httpConn                                    { return &httpConn{c} }
func (h *httpConn) has(uint32) bool                                                  { return false }
func (h *httpConn) HandleStream(t *quic.Turn, ref quic.StreamRef) quic.StreamHandler { return nil }
func (h *httpConn) HandleStreamsAvailable(t *quic.Turn)                              {}
func (h *httpConn) HandleTurn(t *quic.Turn)                                          {}
func (h *httpConn) HandleDatagram(t *quic.Turn, b []byte)                            {}
func (h *httpConn) HandleClose(t *quic.Turn, err error, why *failure) *failure       { return why }
func (h *httpConn) do(t *quic.Turn, r *record)                                       {}
func (h *httpConn) sendDatagram(r *record) error                                     { return nil }
