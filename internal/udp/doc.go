// Package udp moves datagrams between an event loop and the kernel, as many to
// a system call as the kernel allows. It knows nothing of QUIC.
//
// On Linux a batch of datagrams is read with recvmmsg into buffers that generic
// receive offload (GRO) fills with whole trains, and a train of equal segments
// leaves in one sendmsg with UDP_SEGMENT (GSO). Elsewhere, a plain
// implementation on package net takes their place behind the same methods.
//
// One goroutine, the loop, owns a Socket and calls Recv, TryRecv and Send; any
// goroutine may call Wake, Stats and Close.
//
//	sock, err := udp.Listen("localhost:4433", udp.Config{})
//	if err != nil {
//		return err
//	}
//	for {
//		msgs, err := sock.Recv(deadline)
//		if err != nil {
//			return err // net.ErrClosed after Close
//		}
//		for _, m := range msgs {
//			for datagram := range m.Datagrams() {
//				handle(datagram, m.Remote, m.ECN)
//			}
//		}
//		err = sock.Send(train, 1452, peer, local, 0)
//	}
package udp
