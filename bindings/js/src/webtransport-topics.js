// Topics: what is published under one is sent, as datagrams, to the sessions that have
// subscribed to it.

import { bufferSource } from './webtransport-stream.js';

/** With which code and reason a session is closed that cannot take what it has subscribed to. */
export const FULL = { closeCode: 1, reason: 'too slow' };

const encoder = new TextEncoder();

/** Topics are those of a server. One is there while somebody has subscribed to it. */
export class Topics {
  #topics = new Map(); // names to {whenFull: by session, published, sent, dropped}

  subscribe(session, name, whenFull) {
    let t = this.#topics.get(name);
    if (t === undefined) this.#topics.set(name, t = { whenFull: new Map(), published: 0, sent: 0, dropped: 0 });
    t.whenFull.set(session, whenFull);
  }

  /** unsubscribe ends a subscription, or all of a session. */
  unsubscribe(session, name) {
    for (const n of name === undefined ? [...this.#topics.keys()] : [name]) {
      const t = this.#topics.get(n);
      if (t?.whenFull.delete(session) && t.whenFull.size === 0) this.#topics.delete(n);
    }
  }

  has(session, name) {
    return this.#topics.get(name)?.whenFull.has(session) ?? false;
  }

  /** publish sends to all but one, and returns how many may get it. */
  publish(name, data, but) {
    const bytes = typeof data === 'string' ? encoder.encode(data) : bufferSource(data);
    const t = this.#topics.get(name);
    if (t === undefined) return 0;
    let sent = 0;
    for (const [session, whenFull] of [...t.whenFull]) {
      if (session === but) continue;
      if (session.sendDatagram(bytes)) {
        sent++;
        continue;
      }
      t.dropped++;
      if (whenFull === 'close') session.close(FULL);
    }
    t.published++;
    t.sent += sent;
    return sent;
  }

  /** stats returns the figures of a topic, null if nobody has subscribed to it. */
  stats(name) {
    const t = this.#topics.get(name);
    return t === undefined ? null : { subscribers: t.whenFull.size, published: t.published, sent: t.sent, dropped: t.dropped };
  }
}
