// Package attack is what strangers and hostile peers do to a server: a raw client
// that keeps no rule, and a table of attacks that it carries out. Command
// internal/attack/cmd/attack, or
//
//	make attack
//	make attack ATTACKFLAGS='-run ack -keep'
//
// runs each row of the table against a `godwit serve` of its own, while honest
// clients measure what is left for them, and prints what became of both.
//
// # How to read the table
//
// A row is one attack, and these are its columns:
//
//   - sent: datagrams and bytes that the attacker sent;
//   - rss: the server's memory (VmRSS) in MB before the attack, at its peak and
//     when the server was quiet again. Go gives memory back late, so a high last
//     figure says little and a low one much;
//   - cpu: CPU seconds that the server used from the attack's beginning until it was
//     quiet, and for one datagram of the attack in microseconds;
//   - old: one request each 50 ms on a connection that was there before the attack:
//     how many failed of how many, and the median, the 90th percentile and the
//     worst time in milliseconds. A request that has no answer after 3 s failed;
//   - new: the same of one request each 200 ms on a connection, and from an address,
//     of its own;
//   - note: what the attacker saw.
//
// The server has one processor to itself, attackers and honest clients share the
// others, so that a flood takes the server's time and not the clients'. Times are
// as good as the machine is quiet: the load that it had before is in the heading, and
// a row whose honest requests failed says when the server had to wait for its
// processor, because something else ran there.
//
// # The verdict
//
// A row fails when
//
//   - an honest request failed;
//   - the server's memory reached 150 MB;
//   - the server used more CPU time than the attack is worth: [Allowance];
//   - the attacker saw a rule broken that its row names, such as the limit on
//     amplification (RFC 9000, Section 8.1);
//   - the server ended, or was not quiet in time.
//
// A row that did not take place, because the attacker could not begin, fails as
// well, and says so: silence is no proof.
package attack
