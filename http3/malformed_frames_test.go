package http3

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/godwit-quic/godwit/internal/h3"
	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic"
)

// Where a frame can be: TestFramesAtServer and TestFramesAtClient try them all.
const (
	controlFirst = iota // instead of SETTINGS
	controlLater
	messageFirst
	messageLater // after HEADERS
	messageEnd   // after trailers
	inTunnel     // after CONNECT
	numPlaces
)

var placeNames = [numPlaces]string{"first on the control stream", "on the control stream", "first in a message", "after HEADERS", "after trailers", "in a tunnel"}

// placedFrame is a frame and what it is in each place: 0 for harmless, and
// H3_MESSAGE_ERROR for a malformed message. All other codes are connection errors.
type placedFrame struct {
	name  string
	bytes []byte
	codes [numPlaces]h3.ErrorCode
}

const (
	// accepted marks what is no error.
	accepted h3.ErrorCode = 0
	// The codes of the tables below, short enough to be read as tables.
	missing  = h3.MissingSettings
	unexp    = h3.FrameUnexpected
	idError  = h3.IDError
	badFrame = h3.FrameError
	badMsg   = h3.MessageError
)

// priorityFrame is a PRIORITY_UPDATE for the second request.
var priorityFrame = frame(h3.FramePriorityUpdate, "\x04u=1")

// framesAtServer is Table 1 of RFC 9114, Section 7.2, and Section 7.2.8, for a
// server; with RFC 9218, Section 7.2.
var framesAtServer = []placedFrame{
	{"DATA", frame(h3.FrameData, "x"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, accepted, unexp, accepted}},
	{"HEADERS", headers("x=y"), [numPlaces]h3.ErrorCode{missing, unexp, badMsg, accepted, unexp, unexp}},
	{"CANCEL_PUSH", frame(h3.FrameCancelPush, "\x00"), [numPlaces]h3.ErrorCode{missing, idError, unexp, unexp, unexp, unexp}},
	{"SETTINGS", frame(h3.FrameSettings, ""), [numPlaces]h3.ErrorCode{accepted, unexp, unexp, unexp, unexp, unexp}},
	{"PUSH_PROMISE", frame(h3.FramePushPromise, "\x00\x00\x00"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp, unexp}},
	{"GOAWAY", frame(h3.FrameGoAway, "\x04"), [numPlaces]h3.ErrorCode{missing, accepted, unexp, unexp, unexp, unexp}},
	{"MAX_PUSH_ID", frame(h3.FrameMaxPushID, "\x00"), [numPlaces]h3.ErrorCode{missing, accepted, unexp, unexp, unexp, unexp}},
	{"PRIORITY_UPDATE", priorityFrame, [numPlaces]h3.ErrorCode{missing, accepted, unexp, unexp, unexp, unexp}},
	{"PRIORITY_UPDATE of a push", frame(h3.FramePriorityUpdatePush, "\x00u=1"), [numPlaces]h3.ErrorCode{missing, idError, unexp, unexp, unexp, unexp}},
	{"PRIORITY of HTTP/2", frame(0x02, ""), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp, unexp}},
	{"PING of HTTP/2", frame(0x06, "12345678"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp, unexp}},
	{"WINDOW_UPDATE of HTTP/2", frame(0x08, "1234"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp, unexp}},
	{"CONTINUATION of HTTP/2", frame(0x09, ""), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp, unexp}},
	{"reserved type", frame(0x21, "abc"), [numPlaces]h3.ErrorCode{missing}},
	{"unknown type", frame(0x3fff, "abc"), [numPlaces]h3.ErrorCode{missing}},

	// Section 7.1: a frame that is shorter or longer than its fields.
	{"GOAWAY without ID", frame(h3.FrameGoAway, ""), [numPlaces]h3.ErrorCode{missing, badFrame, unexp, unexp, unexp, unexp}},
	{"GOAWAY with more than an ID", frame(h3.FrameGoAway, "\x04\x04"), [numPlaces]h3.ErrorCode{missing, badFrame, unexp, unexp, unexp, unexp}},
	{"MAX_PUSH_ID cut short", frame(h3.FrameMaxPushID, "\x40"), [numPlaces]h3.ErrorCode{missing, badFrame, unexp, unexp, unexp, unexp}},
	{"CANCEL_PUSH without ID", frame(h3.FrameCancelPush, ""), [numPlaces]h3.ErrorCode{missing, badFrame, unexp, unexp, unexp, unexp}},
	{"PRIORITY_UPDATE without ID", frame(h3.FramePriorityUpdate, ""), [numPlaces]h3.ErrorCode{missing, badFrame, unexp, unexp, unexp, unexp}},
	{"SETTINGS cut short", frame(h3.FrameSettings, "\x06"), [numPlaces]h3.ErrorCode{badFrame, unexp, unexp, unexp, unexp, unexp}},
}

// framesAtClient are those that a client sees otherwise; it opens no tunnels here.
var framesAtClient = []placedFrame{
	{"CANCEL_PUSH", frame(h3.FrameCancelPush, "\x00"), [numPlaces]h3.ErrorCode{missing, idError, unexp, unexp, unexp}},
	{"PUSH_PROMISE", frame(h3.FramePushPromise, "\x00\x00\x00"), [numPlaces]h3.ErrorCode{missing, unexp, idError, idError, idError}},
	{"MAX_PUSH_ID", frame(h3.FrameMaxPushID, "\x00"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp}},
	{"MAX_PUSH_ID cut short", frame(h3.FrameMaxPushID, "\x40"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp}},
	{"PRIORITY_UPDATE", priorityFrame, [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp}},
	{"PRIORITY_UPDATE without ID", frame(h3.FramePriorityUpdate, ""), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp}},
	{"PRIORITY_UPDATE of a push", frame(h3.FramePriorityUpdatePush, "\x00u=1"), [numPlaces]h3.ErrorCode{missing, unexp, unexp, unexp, unexp}},
}

// TestFramesAtServer sends every type of frame in every place.
func TestFramesAtServer(t *testing.T) {
	ts := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
	})
	post := headers(postFields)
	for _, f := range framesAtServer {
		messages := [numPlaces][]byte{
			messageFirst: join(f.bytes, post),
			messageLater: join(post, f.bytes),
			messageEnd:   join(post, headers("x=y"), f.bytes),
			inTunnel:     join(headers(":method=CONNECT :authority=a:1"), f.bytes),
		}
		for place, code := range f.codes {
			what := f.name + " " + placeNames[place]
			var c *rawConn
			s := (*quic.Stream)(nil)
			switch place {
			case controlFirst:
				c = ts.dialControl(t, join([]byte{0x00}, f.bytes))
			case controlLater:
				c = ts.dialControl(t, join([]byte{0x00}, frame(h3.FrameSettings, ""), f.bytes))
			default:
				c = ts.dialRaw(t)
				s = c.request(true, messages[place])
			}
			switch {
			case code == badMsg:
				wantReset(t, what, s, code)
			case code != accepted:
				c.wantClose(what, code)
				continue
			case s != nil:
				readMessage(t, s)
			}
			readMessage(t, c.request(true, headers(getFields))) // it still answers
			_ = c.qc.CloseWithError(uint64(h3.NoError), "")
		}
	}
}

// TestFramesAtClient has a server send every type of frame in every place.
func TestFramesAtClient(t *testing.T) {
	special := make(map[string]bool)
	for _, f := range framesAtClient {
		special[f.name] = true
	}
	frames := framesAtClient
	for _, f := range framesAtServer {
		if !special[f.name] {
			frames = append(frames, f)
		}
	}
	response := headers(":status=200")
	type script struct {
		what              string
		control, response []byte
		code              h3.ErrorCode
	}
	settings := frame(h3.FrameSettings, "")
	var scripts []script
	for _, f := range frames {
		for place, code := range f.codes[:inTunnel] {
			s := script{f.name + " " + placeNames[place], settings, response, code}
			switch place {
			case controlFirst:
				s.control = f.bytes
			case controlLater:
				s.control = join(settings, f.bytes)
			case messageFirst:
				s.response = join(f.bytes, response)
			case messageLater:
				s.response = join(response, f.bytes)
			case messageEnd:
				s.response = join(response, headers("x=y"), f.bytes)
			}
			if place <= controlLater && code != accepted {
				s.response = nil // which could overtake
			}
			scripts = append(scripts, s)
		}
	}
	type end struct {
		of  *script
		err error
	}
	ended := make(chan end, maxAttempts)
	var now atomic.Pointer[script]
	rs := serveRawControl(t, func(qc *quic.Conn) {
		f := now.Load()
		openControl(qc, join([]byte{0x00}, f.control))
		go func() {
			<-qc.Done()
			ended <- end{f, qc.Err()}
		}()
	}, func(_ int64, s *quic.Stream) {
		if response := now.Load().response; response != nil {
			_, _ = s.WriteLast(response) // fails if the connection is closed already
		}
	})
	for _, f := range scripts {
		now.Store(&f)
		rs.transport = &Transport{TLSClientConfig: rs.transport.TLSClientConfig}
		_, _, err := rs.get(t)
		switch f.code {
		case accepted:
			// A GOAWAY may come before the request.
			if err != nil && !errors.Is(err, errLeaves) {
				t.Errorf("%s: %v", f.what, err)
			}
		case badMsg:
			wantError(t, err, f.code, false, false)
		default:
			wantError(t, err, f.code, false, true)
		}
		_ = rs.transport.Close()
		for e := (end{}); e.of != &f; { // others are those of further attempts
			e = wait(t, "the connection's end: "+f.what, ended)
			code := e.of.code
			if code == accepted || code == badMsg {
				code = h3.NoError
			}
			wantRemoteClose(t, e.of.what, e.err, code)
		}
	}
}

// setting is a setting as SETTINGS has it.
func setting(id h3.SettingID, value uint64) string {
	return string(wire.AppendVarint(wire.AppendVarint(nil, uint64(id)), value))
}

// TestSettingsErrors sends SETTINGS that break RFC 9114, Sections 7.2.4 and
// 7.2.4.1, RFC 9220, Section 3, and RFC 9297, Section 2.1.1.
func TestSettingsErrors(t *testing.T) {
	ts := serve(t, func(http.ResponseWriter, *http.Request) {})
	payloads := map[string]string{
		"a setting twice":                    setting(h3.SettingMaxFieldSectionSize, 1) + setting(h3.SettingMaxFieldSectionSize, 1),
		"an unknown setting twice":           setting(0x21, 1) + setting(0x21, 2),
		"ENABLE_CONNECT_PROTOCOL of 2":       setting(h3.SettingEnableConnectProtocol, 2),
		"H3_DATAGRAM of 2":                   setting(h3.SettingDatagram, 2),
		"setting 0x02 of HTTP/2 with more":   setting(0x02, 1) + setting(h3.SettingQPACKBlockedStreams, 1),
		"QPACK_MAX_TABLE_CAPACITY, repeated": setting(h3.SettingQPACKMaxTableCapacity, 1) + setting(0x21, 0) + setting(h3.SettingQPACKMaxTableCapacity, 2),
	}
	for id := range h3.SettingID(6) {
		if id != h3.SettingQPACKMaxTableCapacity {
			payloads[fmt.Sprintf("setting %#x of HTTP/2", uint64(id))] = setting(id, 0)
		}
	}
	for name, payload := range payloads {
		c := ts.dialControl(t, join([]byte{0x00}, frame(h3.FrameSettings, payload)))
		c.wantClose(name, h3.SettingsError)
	}
	c := ts.dialControl(t, join([]byte{0x00}, frame(h3.FrameSettings, "")))
	readMessage(t, c.request(true, headers(getFields)))
	if err := c.qc.Err(); err != nil {
		t.Errorf("without any settings: %v", err)
	}
}
