// Package connid says what the connection IDs look like that an endpoint gives out
// (RFC 9000, Section 5.1), and finds out from a datagram for which of several event
// loops it is that share an address: its shard.
//
// A Generator makes the IDs. Plain is the usual one, random bytes in one of which the
// shard can be seen; the kernel can then give each loop its datagrams, with a Filter made
// from the same layout. Others may encrypt what they put into an ID, as load balancers'
// do (draft-ietf-quic-load-balancers): which loop a datagram is for, only Shard knows
// then, and the loop that gets it hands it over.
package connid
