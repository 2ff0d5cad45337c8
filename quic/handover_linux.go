package quic

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/godwit-quic/godwit/internal/connid"
	"github.com/godwit-quic/godwit/internal/relay"
	"github.com/godwit-quic/godwit/internal/udp"
)

// Two processes say to each other, over a Unix stream socket: what there is, in JSON behind
// its length, with the descriptors of the sockets and then of the links; "R" when the
// successor is ready to read them; "G" when the predecessor does not any more.
const (
	successorReady  = 'R'
	predecessorGone = 'G'

	maxHeritage = 4 << 10 // bytes of JSON
	// successionTimeout is how long a successor waits for its predecessor's next word.
	successionTimeout = 10 * time.Second
)

// HandOver leaves the transport's sockets to its successor, a transport in another process
// or this one whose TransportConfig.Predecessor is the other end of successor. It waits
// until that listens, as long as ctx lasts; when there is an error, nothing has changed.
//
// From then on new clients are the successor's, which also has StatelessResetKey and what
// tokens are made with. The connections that there are live on here: the successor passes
// on what comes for them, and they send by the same socket. Listener.Shutdown returns when
// they have ended, and so have those of the predecessor's predecessor: do not close the
// transport before. If the successor ends first, the sockets are read here again, and there
// may be another one: all is as before, but that new clients are refused once Shutdown has
// been called. There is one successor at a time. What Transport.NonQUIC reads goes to it.
//
// It is a matter of Linux, and of sockets of UDP; elsewhere the error is
// errors.ErrUnsupported. It waits for the event loops, so that it is not for callbacks.
func (t *Transport) HandOver(ctx context.Context, successor *net.UnixConn) error {
	ended := make(chan struct{})
	end := context.AfterFunc(ctx, func() {
		_ = successor.SetDeadline(time.Unix(1, 0))
		close(ended)
	})
	defer func() {
		if !end() {
			<-ended
			_ = successor.SetDeadline(time.Time{})
		}
	}()
	err := t.handOver(successor)
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		err = cause
	}
	return prefixed("quic: handing over: ", err)
}

func (t *Transport) handOver(successor *net.UnixConn) error {
	if err := t.reserve(); err != nil {
		return err
	}
	list, err := t.offer(successor)
	if err == nil {
		t.attend(list)
	} else {
		t.successors.Store(0)
	}
	return err
}

// offer gives the sockets to a successor, whose links it returns, and waits until it has
// taken them.
func (t *Transport) offer(successor *net.UnixConn) ([]*relay.Link, error) {
	list, files, err := t.descriptors()
	defer closeFiles(files)
	if err == nil {
		err = sendHeritage(successor, t.heritage, files)
	}
	if err == nil {
		err = expect(successor, successorReady)
	}
	if err != nil {
		closeLinks(list)
		return nil, err
	}
	if err = t.stepAside(list); err == nil {
		_, err = successor.Write([]byte{predecessorGone})
	}
	if err != nil {
		t.stepBack(list)
		return nil, err
	}
	return list, nil
}

// descriptors returns links to a successor, and what it is given: the sockets, and the
// links' other ends.
func (t *Transport) descriptors() (list []*relay.Link, files []*os.File, err error) {
	var ends []*os.File
	for _, w := range t.workers {
		f, err := w.File()
		if err != nil {
			return list, append(files, ends...), err
		}
		files = append(files, f)
		ours, theirs, err := relay.Pair()
		if err != nil {
			return list, append(files, ends...), err
		}
		list, ends = append(list, ours), append(ends, theirs)
	}
	return list, append(files, ends...), nil
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

func sendHeritage(to *net.UnixConn, h *heritage, files []*os.File) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	message := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	n, _, err := to.WriteMsgUnix(message, unix.UnixRights(fds...), nil)
	if err == nil && n < len(message) {
		_, err = to.Write(message[n:])
	}
	return err
}

// receiveHeritage is the reverse of sendHeritage.
func receiveHeritage(from *net.UnixConn) (h *heritage, files []*os.File, err error) {
	var size [4]byte
	rights := make([]byte, unix.CmsgSpace(4*2*connid.MaxShards))
	n, oobn, _, _, err := from.ReadMsgUnix(size[:], rights)
	if err != nil {
		return nil, nil, err
	}
	if files, err = parseRights(rights[:oobn]); err != nil {
		return nil, files, err
	}
	if _, err := io.ReadFull(from, size[n:]); err != nil {
		return nil, files, err
	}
	text := make([]byte, min(binary.BigEndian.Uint32(size[:]), maxHeritage))
	if _, err := io.ReadFull(from, text); err != nil {
		return nil, files, err
	}
	h = new(heritage)
	if err := json.Unmarshal(text, h); err != nil {
		return nil, files, err
	}
	return h, files, h.check()
}

// parseRights returns the descriptors that came with a message.
func parseRights(b []byte) (files []*os.File, err error) {
	messages, err := unix.ParseSocketControlMessage(b)
	if err != nil {
		return nil, err
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return files, err
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			files = append(files, os.NewFile(uintptr(fd), "inherited"))
		}
	}
	return files, nil
}

// expect reads the other's next word.
func expect(from *net.UnixConn, want byte) error {
	var word [1]byte
	if _, err := io.ReadFull(from, word[:]); err != nil {
		return err
	}
	if word[0] != want {
		return fmt.Errorf("the other process says %q, not %q", word[0], want)
	}
	return nil
}

// inherit takes the predecessor's sockets, which it still reads.
func (tc *TransportConfig) inherit(conf udp.Config) (group *udp.Group, h *heritage, err error) {
	_ = tc.Predecessor.SetDeadline(time.Now().Add(successionTimeout))
	h, files, err := receiveHeritage(tc.Predecessor)
	defer closeFiles(files)
	if err == nil && (len(files) == 0 || len(files)%2 != 0) {
		err = errors.New("not a socket and a link for each loop")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("quic: what came from the predecessor, with %d descriptors, is no use: %w", len(files), err)
	}
	h.renew(tc.FleetKeys)
	n := len(files) / 2
	socks, err := packetConns(files[:n])
	if err == nil {
		group, err = udp.UseGroup(socks, connid.Filter(tc.connectionIDs(), n), conf)
	}
	if err != nil {
		for _, s := range socks {
			_ = s.Close() // those that had been taken over are closed already
		}
		return nil, nil, fmt.Errorf("quic: the predecessor's sockets: %w", err)
	}
	for i, f := range files[n:] {
		err = group.Sockets[i].SetDeaf(true)
		var link *relay.Link
		if err == nil {
			link, err = relay.Open(f)
		}
		if err != nil {
			closeLinks(h.links)
			return nil, nil, fmt.Errorf("quic: the predecessor's sockets: %w", errors.Join(err, group.Close()))
		}
		h.links = append(h.links, link)
	}
	return group, h, nil
}

// packetConns makes sockets of descriptors; with an error, of the first of them.
func packetConns(files []*os.File) (socks []net.PacketConn, err error) {
	for _, f := range files {
		s, err := net.FilePacketConn(f)
		if err != nil {
			return socks, err
		}
		socks = append(socks, s)
	}
	return socks, nil
}

// takeOver tells the predecessor that the transport listens, and reads the sockets. When that
// fails, they are the predecessor's, and the transport ends.
func (t *Transport) takeOver(p *net.UnixConn) error {
	_ = p.SetDeadline(time.Now().Add(successionTimeout))
	defer p.SetDeadline(time.Time{})
	_, err := p.Write([]byte{successorReady})
	if err == nil {
		err = expect(p, predecessorGone)
	}
	if err == nil {
		err = t.succeed()
	}
	if err != nil {
		t.stop()
		return fmt.Errorf("quic: taking over: %w", err)
	}
	t.predecessor.Store(nil)
	return nil
}
