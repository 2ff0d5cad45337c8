package contract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// Session is a WebTransport session of any implementation. For unidirectional streams
// Close ends the sending half.
type Session interface {
	OpenStream(context.Context) (Stream, error)
	AcceptStream(context.Context) (Stream, error)
	OpenUniStream(context.Context) (io.WriteCloser, error)
	AcceptUniStream(context.Context) (io.Reader, error)
	SendDatagram([]byte) error
	ReceiveDatagram(context.Context) ([]byte, error)
}

// NegotiatedProtocol is the file for the subprotocol.
const NegotiatedProtocol = "negotiated_protocol.txt"

// Transfers are the ways in which files move in a session, by the middle word of the
// case's name, as in transfer-datagram-send.
var Transfers = []string{"unidirectional", "bidirectional", "datagram"}

// TransferOf returns the way of a case of the side that wants files: "receive" for a
// client, "send" for a server.
func TransferOf(testcase, direction string) (way string, ok bool) {
	for _, way := range Transfers {
		if testcase == "transfer-"+way+"-"+direction {
			return way, true
		}
	}
	return "", false
}

const (
	get, push = "GET ", "PUSH "
	// maxPushed bounds what is taken into memory of a file that is pushed.
	maxPushed = 16 << 20
)

// Give serves what the peer asks for in a session, below folder, by streams of both kinds
// and datagrams, until the session ends, whose end is no error.
func (e *Environment) Give(ctx context.Context, s Session, folder string) {
	var g errgroup.Group
	g.Go(func() error {
		for {
			stream, err := s.AcceptStream(ctx)
			if err != nil {
				return nil
			}
			g.Go(func() error { return e.giveBack(stream, folder) })
		}
	})
	g.Go(func() error {
		for {
			stream, err := s.AcceptUniStream(ctx)
			if err != nil {
				return nil
			}
			g.Go(func() error { return e.giveAnew(ctx, s, stream, folder) })
		}
	})
	g.Go(func() error {
		for {
			request, err := s.ReceiveDatagram(ctx)
			if err != nil {
				return nil
			}
			if pushed, err := e.pushed(request, folder); err == nil {
				_ = s.SendDatagram(pushed) // it may be lost on its way, too
			}
		}
	})
	_ = g.Wait() // a stream that failed is what the peer does not get
}

// giveBack answers a request on its own stream.
func (e *Environment) giveBack(s Stream, folder string) error {
	request, err := io.ReadAll(io.LimitReader(s, maxRequestLine))
	if err != nil {
		return err
	}
	name, err := requested(request)
	if err != nil {
		return err
	}
	file, err := os.Open(e.Source(path.Join(folder, name)))
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(s, file); err != nil {
		return err
	}
	return s.Close()
}

// giveAnew answers a request on a stream of ours.
func (e *Environment) giveAnew(ctx context.Context, s Session, in io.Reader, folder string) error {
	request, err := io.ReadAll(io.LimitReader(in, maxRequestLine))
	if err != nil {
		return err
	}
	pushed, err := e.pushed(request, folder)
	if err != nil {
		return err
	}
	out, err := s.OpenUniStream(ctx)
	if err != nil {
		return err
	}
	if _, err := out.Write(pushed); err != nil {
		return err
	}
	return out.Close()
}

func requested(request []byte) (name string, err error) {
	name, ok := strings.CutPrefix(string(request), get)
	if name = strings.TrimSpace(name); !ok || name == "" {
		return "", fmt.Errorf("not a request: %q", request)
	}
	return name, nil
}

// pushed returns what answers a request elsewhere than on its stream.
func (e *Environment) pushed(request []byte, folder string) ([]byte, error) {
	name, err := requested(request)
	if err != nil {
		return nil, err
	}
	content, err := os.ReadFile(e.Source(path.Join(folder, name)))
	if err != nil {
		return nil, err
	}
	return slices.Concat([]byte(push+name+"\n"), content), nil
}

// store saves what was pushed, and returns its name.
func (e *Environment) store(pushed []byte, folder string) (name string, err error) {
	line, content, ok := bytes.Cut(pushed, []byte("\n"))
	name, isPush := strings.CutPrefix(string(line), push)
	if !ok || !isPush || name == "" {
		return "", fmt.Errorf("nothing pushed: %.40q", pushed)
	}
	return name, e.write(path.Join(folder, name), content)
}

// write makes a file below Downloads.
func (e *Environment) write(name string, content []byte) error {
	file, err := e.Create(name)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}

// SaveProtocol saves the subprotocol of a session.
func (e *Environment) SaveProtocol(name string) error {
	return e.write(NegotiatedProtocol, []byte(name))
}

// Take asks for files, below folder, in a session, in one of the ways of Transfers, and
// saves them.
func (e *Environment) Take(ctx context.Context, s Session, way, folder string, names []string) error {
	switch way {
	case "bidirectional":
		return e.takeBack(ctx, s, folder, names)
	case "unidirectional":
		return e.takeAnew(ctx, s, folder, names)
	}
	return e.takeDatagrams(ctx, s, folder, names)
}

func (e *Environment) takeBack(ctx context.Context, s Session, folder string, names []string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		g.Go(func() error {
			stream, err := s.OpenStream(ctx)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(stream, get+name); err != nil {
				return err
			}
			if err := stream.Close(); err != nil {
				return err
			}
			content, err := io.ReadAll(io.LimitReader(stream, maxPushed))
			if err != nil {
				return err
			}
			return e.write(path.Join(folder, name), content)
		})
	}
	return g.Wait()
}

func (e *Environment) takeAnew(ctx context.Context, s Session, folder string, names []string) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, name := range names {
		g.Go(func() error {
			out, err := s.OpenUniStream(ctx)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(out, get+name); err != nil {
				return err
			}
			return out.Close()
		})
		g.Go(func() error {
			in, err := s.AcceptUniStream(ctx)
			if err != nil {
				return err
			}
			pushed, err := io.ReadAll(io.LimitReader(in, maxPushed))
			if err != nil {
				return err
			}
			_, err = e.store(pushed, folder)
			return err
		})
	}
	return g.Wait()
}

const (
	// datagramGap is kept between requests in datagrams, as their answers come over a link
	// of 10 Mbit/s whose queue holds 25 packets.
	datagramGap = 2 * time.Millisecond
	// datagramPatience is how long to wait for answers before what is missing is asked for
	// again: nobody else makes up for a datagram that is lost.
	datagramPatience = 300 * time.Millisecond
)

func (e *Environment) takeDatagrams(ctx context.Context, s Session, folder string, names []string) error {
	missing := make(map[string]bool)
	for _, name := range names {
		missing[name] = true
	}
	for len(missing) > 0 {
		for name := range missing {
			if err := s.SendDatagram([]byte(get + name)); err != nil {
				return err
			}
			time.Sleep(datagramGap)
		}
		for len(missing) > 0 {
			wait, cancel := context.WithTimeout(ctx, datagramPatience)
			pushed, err := s.ReceiveDatagram(wait)
			late := wait.Err() != nil && ctx.Err() == nil
			cancel()
			if err != nil && late {
				break
			}
			if err != nil {
				return err
			}
			name, err := e.store(pushed, folder)
			if err != nil {
				return err
			}
			delete(missing, name)
		}
	}
	return nil
}
