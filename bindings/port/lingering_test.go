package port

import (
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/qpack"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/internal/wt"
)

// A client that closes its session, and then the connection, when that has nothing left to
// do, keeps the connection until the server has ended the CONNECT stream: a server whose
// connection ends first may never read why the session was closed.
func TestSessionLingers(t *testing.T) {
	h := open(t, Config{})
	_, address := h.listen("alpn", "h3") // a server of QUIC alone: the test is the one of HTTP/3
	client := h.connect(address, "protocol", "h3", "webtransport", "1")
	server := h.want(EvAccepted, 0).conn
	settings := wt.NewConn(wire.ServerSide, wt.Config{}.WithDefaults()).AppendSettings(nil)
	settings = append(settings, h3.Setting{ID: h3.SettingEnableConnectProtocol, Value: 1}, h3.Setting{ID: h3.SettingDatagram, Value: 1})
	var frame []byte
	for _, s := range settings {
		frame = wire.AppendVarint(wire.AppendVarint(frame, uint64(s.ID)), s.Value)
	}
	control := append(h3.AppendFrameHeader([]byte{0}, h3.FrameSettings, uint64(len(frame))), frame...)
	h.write(CmdOpen, flagUni, 0, server, 1, make([]byte, 8))
	h.do(CmdWrite, 0, server, 1, control)

	const session = 1
	h.do(CmdSession, 0, client, session, appendFields(nil, pairs(":authority", "localhost", ":path", "/")))
	var request uint32
	for request == 0 {
		if g := h.want(EvStream, server); g.flags&flagUni == 0 {
			request = g.id
		}
	}
	section := qpack.AppendFieldSection(nil, pairs(":status", "200"))
	h.do(CmdWrite, 0, server, request, append(h3.AppendFrameHeader(nil, h3.FrameHeaders, uint64(len(section))), section...))
	h.want(EvSessionOpen, client)

	h.write(CmdClose, 0, 0, client, session, le64(7))
	h.write(CmdClose, 0, closeGraceful, client, 0, le64(uint64(h3.NoError)))
	h.commit()
	for g := h.want(EvData, server); g.id != request || !g.fin(); g = h.want(EvData, server) {
	}
	h.do(CmdStats, 0, client, 0, nil)
	h.want(EvStats, client) // it is there
	h.do(CmdWrite, flagFin, server, request, nil)
	if g := h.want(EvClosed, server); g.failure().code != uint64(h3.NoError) || !g.failure().remote {
		t.Errorf("closed with %+v", g.failure())
	}
	h.want(EvClosed, client)
}
