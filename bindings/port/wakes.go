package port

// Nobody waits for a wake-up that does not come. Four sleep: the engine, for commands and for
// room for events; the host, for events; and connections, for room. Each of them sets a
// flag and then looks once more before sleeping; who brings what is waited for first shows
// it and then takes the flag away, and whoever took it away rings. All of these are
// sequentially consistent, on either side (sync/atomic here, __atomic with SEQ_CST in
// libgodwit/port.c): of two that do so at once, one sees the other.
//
//   - Commands: the host stores command_head, and exchanges asleep for 0 (kick). The reader
//     stores asleep, and looks at command_head (Port.sleep). Which bell rings is what asleep
//     was. The pump and the lane that reads share it: the one takes over only when the other
//     does not read (Port.take, Port.handBack), and reads all there is before it sleeps, so
//     that a value the other one has left rings a bell for nothing at worst.
//   - Events: a writer stores event_head, then unheard. Whoever ends a turn takes unheard
//     away, and exchanges woken for 1; was it 0, the host is called (events.wake). The host
//     stores 0 there, and looks at event_head (gw_port_look). A writer that finds unheard
//     set leaves it to who takes it away later than that, and so after his event_head.
//   - Room: who finds none stores starved, and looks at event_tail (events.starve). The host
//     stores event_tail, and exchanges starved for 0 if half is free; if it was 1 it kicks
//     (gw_port_consumed). Before it sleeps, the reader looks whether somebody is hungry and
//     starved is 0 (events.resumable).
//   - Connections that wait for room live on any lane, the reader on one. So a connection
//     registers first, and starves then, again (Port.await). The reader clears hungry
//     before it takes the register (Port.resume): one that comes later is in the next.
//
// JavaScript's part of it is in C. What it reads and writes without, the records and
// command_tail, is older than the call by which it learnt of it, and shown by the next one.
