package event

import (
	"github.com/godwit-quic/godwit/internal/face"
	"github.com/godwit-quic/godwit/quic"
)

// calls is how what happens comes to handlers.
type calls struct{}

func init() { face.Events = calls{} }

func (calls) NewHandler(newHandler any, t *face.Turn) any {
	if h := newHandler.(func(Turn) Handler)(Turn{t}); h != nil {
		return h
	}
	return nil
}

func (calls) Begin(begin any, t *face.Turn, s face.Ref) {
	begin.(func(Turn, Stream))(Turn{t}, Stream{s})
}

func (calls) HandleStream(h any, t *face.Turn, s face.Ref) any {
	return h.(Handler).HandleStream(Turn{t}, Stream{s})
}

func (calls) HandleClose(h any, t *face.Turn, err error) { h.(Handler).HandleClose(Turn{t}, err) }

func (calls) HandleStreamsAvailable(h any, t *face.Turn) {
	if h, ok := h.(StreamLimitHandler); ok {
		h.HandleStreamsAvailable(Turn{t})
	}
}

func (calls) HandleTurn(h any, t *face.Turn) bool {
	if h, ok := h.(TurnHandler); ok {
		return h.HandleTurn(Turn{t})
	}
	return true
}

func (calls) HandleDatagrams(h any, t *face.Turn, list [][]byte) bool {
	d, ok := h.(DatagramHandler)
	if ok {
		d.HandleDatagrams(Turn{t}, list)
	}
	return ok
}

func (calls) HandleHandshakeComplete(h any, t *face.Turn) {
	if h, ok := h.(EarlyHandler); ok {
		h.HandleHandshakeComplete(Turn{t})
	}
}

func (calls) HandlePathChanged(h any, t *face.Turn) {
	if h, ok := h.(PathHandler); ok {
		h.HandlePathChanged(Turn{t})
	}
}

func (calls) HandleSilent(h any, t *face.Turn) {
	if h, ok := h.(SilenceHandler); ok {
		h.HandleSilent(Turn{t})
	}
}

// commandHandler is a Handler whose host has commands for it: see internal/hosted.
type commandHandler interface {
	// HandleCommands: there are some.
	HandleCommands(t Turn)
}

func (calls) HandleCommands(h any, t *face.Turn) {
	if h, ok := h.(commandHandler); ok {
		h.HandleCommands(Turn{t})
	}
}

func (calls) HandleReadable(h any, t *face.Turn, s face.Ref) {
	h.(StreamHandler).HandleReadable(Turn{t}, Stream{s})
}

func (calls) HandleWritable(h any, t *face.Turn, s face.Ref) {
	h.(StreamHandler).HandleWritable(Turn{t}, Stream{s})
}

func (calls) HandleEnd(h any, t *face.Turn, s face.Ref, end face.End) {
	h.(StreamHandler).HandleEnd(Turn{t}, Stream{s}, End{Kind(end.Kind), (*quic.StreamError)(end.Err), end.Lost})
}
