package main

import (
	"io"
	"log/slog"
	"net/http"
	"time"
)

// accessLog logs each request when its response is complete, or cut short. What clients
// say is quoted by slog's handlers, so that it cannot look like another line.
func (a *app) accessLog(kind string, next http.Handler) http.Handler {
	var handler slog.Handler
	switch kind {
	case logText:
		handler = slog.NewTextHandler(a.stderr, nil)
	case logJSON:
		handler = slog.NewJSONHandler(a.stderr, nil)
	default:
		return next
	}
	logger := slog.New(handler)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		logged := &loggedWriter{ResponseWriter: w}
		complete := false
		defer func() {
			attrs := []slog.Attr{
				slog.String("remote", r.RemoteAddr), slog.String("proto", r.Proto), slog.String("method", r.Method), slog.String("host", r.Host),
				slog.String("uri", r.RequestURI), slog.Int("status", logged.final()), slog.Int64("bytes", logged.bytes), slog.Duration("took", time.Since(start)),
			}
			for name, value := range map[string]string{"agent": r.UserAgent(), "referer": r.Referer()} {
				if value != "" {
					attrs = append(attrs, slog.String(name, value))
				}
			}
			if !complete || logged.failed {
				attrs = append(attrs, slog.Bool("cut", true))
			}
			logger.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
		}()
		next.ServeHTTP(logged, r)
		complete = true
	})
}

// loggedWriter counts what is written.
type loggedWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
	failed bool
}

// final returns the status that was sent.
func (w *loggedWriter) final() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func (w *loggedWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *loggedWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	w.failed = w.failed || err != nil
	return n, err
}

// ReadFrom leaves the copying to the ResponseWriter, which may know a shorter way.
func (w *loggedWriter) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(w.ResponseWriter, r)
	w.bytes += n
	w.failed = w.failed || err != nil
	return n, err
}

// Unwrap is for http.ResponseController, and what looks for the connection.
func (w *loggedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
