package qlog

import "github.com/godwit-quic/godwit/internal/wire"

// flowFrame writes the frames that move or report a limit.
func (r *record) flowFrame(t wire.FrameType, b []byte) (n int) {
	var f wire.MaxStreamData
	limit := &f.Max
	name, field, kind := "", "maximum", ""
	switch t {
	case wire.FrameMaxData:
		name, n = "max_data", wire.ConsumeMaxData(b, limit)
	case wire.FrameMaxStreamData:
		name, n = "max_stream_data", wire.ConsumeMaxStreamData(b, &f)
	case wire.FrameMaxStreamsBidi, wire.FrameMaxStreamsUni:
		name, n = "max_streams", wire.ConsumeMaxStreams(b, limit)
		kind = streamType(t == wire.FrameMaxStreamsUni)
	case wire.FrameDataBlocked:
		name, field, n = "data_blocked", "limit", wire.ConsumeDataBlocked(b, limit)
	case wire.FrameStreamDataBlocked:
		name, field, n = "stream_data_blocked", "limit", wire.ConsumeStreamDataBlocked(b, (*wire.StreamDataBlocked)(&f))
	default:
		name, field, n = "streams_blocked", "limit", wire.ConsumeStreamsBlocked(b, limit)
		kind = streamType(t == wire.FrameStreamsBlockedUni)
	}
	r.word("frame_type", name)
	if t == wire.FrameMaxStreamData || t == wire.FrameStreamDataBlocked {
		r.uint("stream_id", uint64(f.ID))
	}
	if kind != "" {
		r.word("stream_type", kind)
	}
	r.uint(field, *limit)
	return n
}

func streamType(uni bool) string {
	if uni {
		return "unidirectional"
	}
	return "bidirectional"
}

// rareFrame writes the frames that most packets do not have.
func (r *record) rareFrame(t wire.FrameType, b []byte) (n int) {
	switch t {
	case wire.FrameResetStream:
		var f wire.ResetStream
		n = wire.ConsumeResetStream(b, &f)
		r.word("frame_type", "reset_stream")
		r.streamError(f.ID, f.Code)
		r.uint("final_size", f.FinalSize)
	case wire.FrameResetStreamAt:
		var f wire.ResetStreamAt
		n = wire.ConsumeResetStreamAt(b, &f)
		r.word("frame_type", "reset_stream_at")
		r.streamError(f.ID, f.Code)
		r.uint("final_size", f.FinalSize)
		r.uint("reliable_size", f.ReliableSize)
	case wire.FrameStopSending:
		var f wire.StopSending
		n = wire.ConsumeStopSending(b, &f)
		r.word("frame_type", "stop_sending")
		r.streamError(f.ID, f.Code)
	case wire.FrameNewToken:
		var f wire.NewToken
		n = wire.ConsumeNewToken(b, &f)
		r.word("frame_type", "new_token")
		r.open("token", '{')
		r.word("type", "resumption")
		r.rawLength("length", len(f.Token))
		r.close('}')
	case wire.FrameConnectionClose, wire.FrameConnectionCloseApp:
		return r.closeFrame(t, b)
	case wire.FrameDatagram, wire.FrameDatagramLen:
		var f wire.Datagram
		n = wire.ConsumeDatagram(t, b, &f)
		r.word("frame_type", "datagram")
		r.rawLength("length", len(f.Data))
	default:
		return r.pathFrame(t, b)
	}
	return n
}

// pathFrame writes the frames about connection IDs and paths. Reset tokens are
// secrets and not logged.
func (r *record) pathFrame(t wire.FrameType, b []byte) (n int) {
	switch t {
	case wire.FrameNewConnectionID:
		var f wire.NewConnectionIDFrame
		n = wire.ConsumeNewConnectionID(b, &f)
		r.word("frame_type", "new_connection_id")
		r.uint("sequence_number", f.Seq)
		r.uint("retire_prior_to", f.RetirePriorTo)
		r.hex("connection_id", f.ID.Bytes())
	case wire.FrameRetireConnectionID:
		var seq uint64
		n = wire.ConsumeRetireConnectionID(b, &seq)
		r.word("frame_type", "retire_connection_id")
		r.uint("sequence_number", seq)
	case wire.FramePathChallenge, wire.FramePathResponse:
		var data wire.PathData
		n = wire.ConsumePathChallenge(b, &data)
		if t == wire.FramePathChallenge {
			r.word("frame_type", "path_challenge")
		} else {
			r.word("frame_type", "path_response")
		}
		r.hex("data", data[:])
	default:
		return -1
	}
	return n
}

// streamError writes which stream ended with which of the application's codes,
// whose names are unknown here.
func (r *record) streamError(id wire.StreamID, code uint64) {
	r.uint("stream_id", uint64(id))
	r.word("error", "unknown")
	r.uint("error_code", code)
}

func (r *record) closeFrame(t wire.FrameType, b []byte) int {
	var f wire.ConnectionClose
	n := wire.ConsumeConnectionClose(t, b, &f)
	r.word("frame_type", "connection_close")
	if f.App {
		r.word("error_space", "application")
		r.word("error", "unknown")
		r.uint("error_code", f.Code)
	} else {
		r.word("error_space", "transport")
		r.transportError("error", f.Code)
		if f.FrameType != 0 {
			r.uint("trigger_frame_type", uint64(f.FrameType))
		}
	}
	r.reason(f.Reason)
	return n
}
