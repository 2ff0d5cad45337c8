package port

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// What godwit.h names, as the port has it: without GW_ in front.
var inHeader = map[string]uint64{
	"CMD_LISTEN": uint64(CmdListen), "CMD_CONNECT": uint64(CmdConnect), "CMD_CLOSE": uint64(CmdClose), "CMD_OPEN": uint64(CmdOpen),
	"CMD_WRITE": uint64(CmdWrite), "CMD_RESET": uint64(CmdReset), "CMD_STOP": uint64(CmdStop), "CMD_CREDIT": uint64(CmdCredit),
	"CMD_PRIORITY": uint64(CmdPriority), "CMD_DATAGRAM": uint64(CmdDatagram), "CMD_REQUEST": uint64(CmdRequest),
	"CMD_RESPOND": uint64(CmdRespond), "CMD_INFORM": uint64(CmdInform), "CMD_TRAILERS": uint64(CmdTrailers),
	"CMD_SESSION": uint64(CmdSession), "CMD_ACCEPT": uint64(CmdAccept), "CMD_DRAIN": uint64(CmdDrain), "CMD_ROUTE": uint64(CmdRoute),
	"CMD_STATS": uint64(CmdStats), "CMD_COMMIT": uint64(CmdCommit), "CMD_EXPORT": uint64(CmdExport),

	"EV_LISTENING": uint64(EvListening), "EV_ACCEPTED": uint64(EvAccepted), "EV_CONNECTED": uint64(EvConnected), "EV_CLOSED": uint64(EvClosed),
	"EV_STREAM": uint64(EvStream), "EV_OPENED": uint64(EvOpened), "EV_DATA": uint64(EvData), "EV_CREDIT": uint64(EvCredit),
	"EV_RESET": uint64(EvReset), "EV_STOPPED": uint64(EvStopped), "EV_ENDED": uint64(EvEnded), "EV_DATAGRAM": uint64(EvDatagram),
	"EV_REQUEST": uint64(EvRequest), "EV_INFORM": uint64(EvInform), "EV_RESPONSE": uint64(EvResponse), "EV_TRAILERS": uint64(EvTrailers),
	"EV_SESSION": uint64(EvSession), "EV_SESSION_OPEN": uint64(EvSessionOpen), "EV_REJECTED": uint64(EvRejected),
	"EV_DRAINING": uint64(EvDraining), "EV_STATS": uint64(EvStats), "EV_ERROR": uint64(EvError), "EV_PATH": uint64(EvPath),
	"EV_EXPORTED": uint64(EvExported),

	"OK": uint64(OK), "ERR_APPLICATION": uint64(ErrApplication), "ERR_TRANSPORT": uint64(ErrTransport), "ERR_TLS": uint64(ErrTLS),
	"ERR_CERTIFICATE": uint64(ErrCertificate), "ERR_IDLE": uint64(ErrIdle), "ERR_HANDSHAKE_TIMEOUT": uint64(ErrHandshakeTimeout),
	"ERR_REFUSED": uint64(ErrRefused), "ERR_RESOLVE": uint64(ErrResolve), "ERR_STATELESS_RESET": uint64(ErrStatelessReset),
	"ERR_VERSION": uint64(ErrVersion), "ERR_CANCELLED": uint64(ErrCancelled), "ERR_OPTION": uint64(ErrOption),
	"ERR_ADDRESS": uint64(ErrAddress), "ERR_STREAM": uint64(ErrStream), "ERR_SESSION": uint64(ErrSession), "ERR_HTTP": uint64(ErrHTTP),
	"ERR_UNSUPPORTED": uint64(ErrUnsupported), "ERR_LIMIT": uint64(ErrLimit), "ERR_GOAWAY": uint64(ErrGoAway), "ERR_SIZE": uint64(ErrSize),
	"ERR_COMMAND": uint64(ErrCommand), "ERR_PORT": uint64(ErrPort),

	"VERSION": version, "HEADER": headerSize, "SKIP": skip, "PEERS": peers, "WINDOW": defaultWindow,
	"FIN": flagFin, "UNI": flagUni, "REMOTE": flagRemote, "CALL": flagCall, "SECURE": flagSecure, "NOW": flagNow,
	"CLOSE_STOP": closeStop, "CLOSE_GRACEFUL": closeGraceful, "CLOSE_ABORT": closeAbort,
	"OPEN": stateOpen, "CLOSED": stateClosed, "FAILED": stateFailed,
}

// The members of gw_shared that the port uses.
var offsets = map[string]int{
	"magic": offMagic, "version": offVersion, "commands": offCommands, "command_size": offCommandSize, "events": offEvents,
	"event_size": offEventSize, "state": offState, "command_head": offCommandHead, "command_tail": offCommandTail,
	"event_head": offEventHead, "event_tail": offEventTail, "asleep": offAsleep, "starved": offStarved, "woken": offWoken,
	"reply": offReply, "reply_kind": offReplyKind, "reply_code": offReplyCode, "reply_length": offReplyLength, "reply_conn": offReplyConn,
	"reply_text": offReplyText, "events_written": offEventCount, "wakes": offWakes, "dropped_datagrams": offDropped,
	"connections": offConnections, "streams": offStreams,
}

// TestHeader: the port, godwit.h and the JavaScript package say the same.
func TestHeader(t *testing.T) {
	text := read(t, "../c/godwit.h")
	seen := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?:#define GW_([A-Z_0-9]+)|\bGW_([A-Z_0-9]+) =) (\(?(?:0x)?[0-9a-fA-F]+u?(?: << [0-9]+\))?)`).FindAllStringSubmatch(text, -1) {
		name := m[1] + m[2]
		want, known := inHeader[name]
		if !known {
			continue // of the header alone
		}
		seen[name] = true
		if got := number(t, m[3]); got != want {
			t.Errorf("GW_%s is %d in godwit.h, %d in the port", name, got, want)
		}
	}
	for name := range inHeader {
		if !seen[name] {
			t.Errorf("godwit.h has no GW_%s", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^\tGW_((?:CMD|EV|ERR)_[A-Z_]+) =`).FindAllStringSubmatch(text, -1) {
		if _, known := inHeader[m[1]]; !known {
			t.Errorf("the port has no %s", m[1])
		}
	}
}

func number(t *testing.T, text string) uint64 {
	t.Helper()
	digits, shift, _ := strings.Cut(strings.Trim(text, "()"), " << ")
	n, err := strconv.ParseUint(strings.TrimSuffix(digits, "u"), 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	by, _ := strconv.Atoi(shift) // nothing is 0
	return n << by
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHeaderLayout: what is shared lies where godwit.h says.
func TestHeaderLayout(t *testing.T) {
	_, text, _ := strings.Cut(read(t, "../c/godwit.h"), "typedef struct gw_shared {")
	text, _, _ = strings.Cut(text, "} gw_shared;")
	at, found := 0, 0
	for _, line := range regexp.MustCompile(`(?s)/\*.*?\*/`).Split(text, -1) {
		for _, m := range regexp.MustCompile(`(uint32_t|uint64_t|char) ([^;]+);`).FindAllStringSubmatch(line, -1) {
			size := map[string]int{"uint32_t": 4, "uint64_t": 8, "char": 1}[m[1]]
			for _, member := range strings.Split(m[2], ", ") {
				name, count, _ := strings.Cut(strings.TrimSuffix(member, "]"), "[")
				at = (at + size - 1) / size * size
				if want, known := offsets[name]; known {
					found++
					if at != want {
						t.Errorf("%s lies at %d in godwit.h, at %d in the port", name, at, want)
					}
				}
				n, err := strconv.Atoi(count)
				if err != nil {
					n = 1
				}
				at += n * size
			}
		}
	}
	if found != len(offsets) || at != sharedSize {
		t.Errorf("%d members of %d, %d bytes of %d", found, len(offsets), at, sharedSize)
	}
}

// TestJavaScript: so does the package in JavaScript.
func TestJavaScript(t *testing.T) {
	text := read(t, "../js/src/port.js")
	commands, events, ok := strings.Cut(text, "export const EV = ")
	if !ok {
		t.Fatal("no events")
	}
	events, _, _ = strings.Cut(events, "});")
	for prefix, part := range map[string]string{"CMD_": commands, "EV_": events} {
		n := 0
		for _, m := range regexp.MustCompile(`\b([A-Z_]+)(?: =|:) ([0-9]+)`).FindAllStringSubmatch(part, -1) {
			n++
			if want, known := inHeader[prefix+m[1]]; !known || strconv.FormatUint(want, 10) != m[2] {
				t.Errorf("%s%s is %s in port.js, %d in the port", prefix, m[1], m[2], want)
			}
		}
		if n < 15 {
			t.Errorf("only %d begin with %s", n, prefix)
		}
	}
}
