package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/godwit-quic/godwit/cmd/godwit/internal/terminal"
	"github.com/godwit-quic/godwit/internal/profiling"
	"github.com/godwit-quic/godwit/quic"
	"github.com/godwit-quic/godwit/quic/qlog"
	"github.com/godwit-quic/godwit/quic/quictrace"
)

// The exit codes.
const (
	exitOK          = 0
	exitFailure     = 1
	exitUsage       = 2
	exitClosed      = 3  // a WebTransport session was closed with another code than 0
	exitHTTPStatus  = 22 // as curl's --fail
	exitInterrupted = 130
)

// app is the command with the outside world it runs in.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	signals        <-chan os.Signal // interrupts and requests to terminate
	grace          time.Duration    // for what is under way when a server is to end
	cacheDir       string           // for certificates of our own making, "" for none

	started bool // the command line was understood

	qlogDir string
	tracer  func(quictrace.Info) quictrace.Tracer // to qlogDir, nil when there is none
	profile profiling.Files
	keyLog  io.WriteCloser // of SSLKEYLOGFILE, nil when there is none
}

// errInterrupted is why things end after a signal.
var errInterrupted = errors.New("interrupted")

// exitError gives an error another exit code than exitFailure. Without an error
// everything has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// suggestions puts the commands that cobra takes for what was meant into the sentence.
var suggestions = strings.NewReplacer("\n\nDid you mean this?\n\t", "; did you mean ", "\n\t", " or ", "\n", "?")

// run executes a command line and returns the exit code.
func (a *app) run(args []string) int {
	root := a.rootCommand()
	root.SetArgs(args)
	complete(root, len(args) > 0 && strings.HasPrefix(args[0], "__complete"))
	cmd, err := unknownBelow(root, args)
	if err == nil {
		cmd, err = root.ExecuteContextC(context.Background())
	}
	err = errors.Join(err, a.finish())
	switch coded := (*exitError)(nil); {
	case err == nil:
		return exitOK
	case !a.started:
		a.complain("%s (%s --help tells more)", suggestions.Replace(err.Error()), cmd.CommandPath())
		return exitUsage
	case errors.As(err, &coded):
		if coded.err != nil {
			a.complain("%s", said(err))
		}
		return coded.code
	case errors.Is(err, errInterrupted):
		a.complain("%v", errInterrupted)
		return exitInterrupted
	}
	a.complain("%s", said(err))
	return exitFailure
}

// complain writes one line to standard error. What a peer has said may be part of it.
func (a *app) complain(format string, args ...any) {
	fmt.Fprintln(a.stderr, "godwit:", terminal.Line(fmt.Sprintf(format, args...)))
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "godwit",
		Short:         "Serve and fetch over HTTP/3, open WebTransport sessions, and measure",
		Version:       versionText(),
		SilenceUsage:  true,
		SilenceErrors: true,
		// cert is nobody's slip for get.
		SuggestionsMinimumDistance: 1,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			a.started = true
			return a.prepare()
		},
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetIn(a.stdin)
	flags := root.PersistentFlags()
	flags.StringVar(&a.qlogDir, "qlog-dir", "", "write a qlog file for each connection to this `directory`")
	flags.StringVar(&a.profile.CPU, "cpuprofile", "", "write a CPU profile to this `file`")
	flags.StringVar(&a.profile.Memory, "memprofile", "", "write a memory profile to this `file` in the end")
	for _, name := range []string{"cpuprofile", "memprofile"} {
		_ = flags.MarkHidden(name) // fails only for a flag that is not there
	}
	root.AddCommand(a.serveCommand(), a.getCommand(), a.loadCommand(), a.perfCommand(), a.wtCommand(), a.certCommand(), a.versionCommand(), a.manualCommand())
	describeCompletion(root)
	return root
}

// prepare does what all commands need before they start.
func (a *app) prepare() error {
	if path := a.getenv("SSLKEYLOGFILE"); path != "" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		if err != nil {
			return fmt.Errorf("SSLKEYLOGFILE: %w", err)
		}
		a.keyLog = f
	}
	if a.qlogDir != "" {
		if err := os.MkdirAll(a.qlogDir, 0o755); err != nil {
			return fmt.Errorf("--qlog-dir: %w", err)
		}
		a.tracer = qlog.Dir(a.qlogDir, a.logger())
	}
	return a.profile.Start()
}

// finish ends what prepare began.
func (a *app) finish() error {
	err := a.profile.Stop()
	if a.keyLog != nil {
		err = errors.Join(err, a.keyLog.Close())
	}
	return err
}

// quicConfig returns the configuration that all connections share.
func (a *app) quicConfig() *quic.Config {
	return &quic.Config{Tracer: a.tracer}
}

// transportConfig returns the configuration that all sockets share.
func (a *app) transportConfig() *quic.TransportConfig {
	return &quic.TransportConfig{Logger: a.logger()}
}

// logger writes warnings to standard error.
func (a *app) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(a.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// interruptible returns a context that a signal ends with errInterrupted.
func (a *app) interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-a.signals:
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// keyLogWriter returns where TLS secrets go; a nil interface if nowhere.
func (a *app) keyLogWriter() io.Writer {
	if a.keyLog == nil {
		return nil
	}
	return a.keyLog
}
