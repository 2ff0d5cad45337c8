package qlog

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/godwit-quic/godwit/internal/wire"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// connection writes the data of the events that a connection has few of.
func (r *record) connection(e quictrace.Event) bool {
	switch e := e.(type) {
	case *quictrace.ConnectionStarted:
		r.endpoint("local", e.Local, 0, e.LocalID)
		r.endpoint("remote", e.Remote.Addr(), e.Remote.Port(), e.RemoteID)
	case *quictrace.ConnectionClosed:
		r.closed(e)
	case *quictrace.ConnectionIDUpdated:
		r.initiator(e.Remote)
		r.hex("old", e.Old)
		r.hex("new", e.New)
	case *quictrace.VersionInformation:
		r.versions("server_versions", e.Server)
		r.versions("client_versions", e.Client)
		r.version("chosen_version", e.Chosen)
	case *quictrace.ALPNInformation:
		r.open("chosen_alpn", '{')
		r.hex("byte_value", []byte(e.Chosen))
		if utf8.ValidString(e.Chosen) {
			r.text("string_value", e.Chosen)
		}
		r.close('}')
	case *quictrace.ParametersSet:
		r.parameters(e)
	case *quictrace.RecoveryParametersSet:
		r.recoveryParameters(e)
	default:
		return false
	}
	return true
}

func (r *record) initiator(remote bool) {
	if remote {
		r.word("initiator", "remote")
	} else {
		r.word("initiator", "local")
	}
}

// endpoint writes one half of a path. A port of 0 is not known.
func (r *record) endpoint(key string, a netip.Addr, port uint16, id []byte) {
	r.open(key, '{')
	if a = a.Unmap(); a.IsValid() {
		version := "v6"
		if a.Is4() {
			version = "v4"
		}
		r.word("ip_"+version, a.WithZone("").String())
		if port != 0 {
			r.uint("port_"+version, uint64(port))
		}
	}
	r.open("connection_ids", '[')
	r.hex("", id)
	r.close(']')
	r.close('}')
}

func (r *record) version(key string, v uint32) {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], v)
	r.hex(key, b[:])
}

// maxVersions bounds the versions written of a list, which may be a peer's.
const maxVersions = 32

// versions writes a list that is not empty.
func (r *record) versions(key string, list []uint32) {
	if len(list) == 0 {
		return
	}
	r.open(key, '[')
	for _, v := range list[:min(len(list), maxVersions)] {
		r.version("", v)
	}
	r.close(']')
}

func (r *record) parameters(p *quictrace.ParametersSet) {
	r.initiator(p.Remote)
	r.optionalID("original_destination_connection_id", p.OriginalDestinationConnectionID)
	r.optionalID("initial_source_connection_id", p.InitialSourceConnectionID)
	r.optionalID("retry_source_connection_id", p.RetrySourceConnectionID)
	r.bool("disable_active_migration", p.DisableActiveMigration)
	r.uint("max_idle_timeout", uint64(p.MaxIdleTimeout.Milliseconds()))
	r.uint("max_udp_payload_size", p.MaxUDPPayloadSize)
	r.uint("ack_delay_exponent", p.AckDelayExponent)
	r.uint("max_ack_delay", uint64(p.MaxAckDelay.Milliseconds()))
	r.uint("active_connection_id_limit", p.ActiveConnectionIDLimit)
	r.uint("initial_max_data", p.InitialMaxData)
	r.uint("initial_max_stream_data_bidi_local", p.InitialMaxStreamDataBidiLocal)
	r.uint("initial_max_stream_data_bidi_remote", p.InitialMaxStreamDataBidiRemote)
	r.uint("initial_max_stream_data_uni", p.InitialMaxStreamDataUni)
	r.uint("initial_max_streams_bidi", p.InitialMaxStreamsBidi)
	r.uint("initial_max_streams_uni", p.InitialMaxStreamsUni)
	r.uint("max_datagram_frame_size", p.MaxDatagramFrameSize)
	r.bool("grease_quic_bit", p.GreaseQUICBit)
	r.bool("reset_stream_at", p.ResetStreamAt)
}

func (r *record) optionalID(key string, id []byte) {
	if id != nil {
		r.hex(key, id)
	}
}

func (r *record) recoveryParameters(p *quictrace.RecoveryParametersSet) {
	r.uint("reordering_threshold", uint64(p.ReorderingThreshold))
	r.float("time_threshold", p.TimeThreshold)
	r.uint("timer_granularity", uint64(p.TimerGranularity/time.Millisecond))
	r.millis("initial_rtt", p.InitialRTT)
	r.uint("max_datagram_size", uint64(p.MaxDatagramSize))
	r.uint("initial_congestion_window", uint64(p.InitialCongestionWindow))
	r.uint("minimum_congestion_window", uint64(p.MinimumCongestionWindow))
	r.uint("persistent_congestion_threshold", uint64(p.PersistentCongestionThreshold))
}

// keyNames are the ends of the names of keys, behind the side that seals with them.
var keyNames = map[quictrace.PacketType]string{
	quictrace.Initial:   "initial_secret",
	quictrace.ZeroRTT:   "0rtt_secret",
	quictrace.Handshake: "handshake_secret",
	quictrace.OneRTT:    "1rtt_secret",
}

// secret says of which key something is told, and not what it is.
func (r *record) secret(k *quictrace.Key, trigger quictrace.KeyTrigger) {
	side := wire.ClientSide
	if k.Server {
		side = wire.ServerSide
	}
	r.word("key_type", side.String()+"_"+keyNames[k.Type])
	if k.Type == quictrace.OneRTT {
		r.uint("key_phase", k.Phase)
	}
	if trigger != "" {
		r.word("trigger", string(trigger))
	}
}

// closed writes who ended a connection, and why.
func (r *record) closed(e *quictrace.ConnectionClosed) {
	switch e.Trigger {
	case quictrace.CloseError:
		r.initiator(e.Remote)
		r.transportError("connection_error", e.Code)
	case quictrace.CloseApplication:
		r.initiator(e.Remote)
		r.word("application_error", "unknown")
		r.uint("error_code", e.Code)
	case quictrace.CloseUnspecified:
	default:
		r.initiator(e.Remote)
	}
	if e.Reason != "" {
		r.text("reason", e.Reason[:min(len(e.Reason), maxReason)])
	}
	r.word("trigger", string(e.Trigger))
}

// transportError writes a transport error code by its name in qlog.
func (r *record) transportError(key string, code uint64) {
	switch e := wire.ErrorCode(code); {
	case e <= wire.NoViablePath:
		r.word(key, strings.ToLower(e.String()))
	case e.IsCrypto():
		r.word(key, "crypto_error_0x"+strconv.FormatUint(code, 16))
	default:
		r.word(key, "unknown")
		r.uint("error_code", code)
	}
}
