// Topics: what is published under one is sent, as datagrams, to the sessions that have
// subscribed to it.

import { bufferSource } from './webtransport-stream.js';

/** With which code and reason a session is closed that cannot take what it has subscribed to. */
export const FULL = { closeCode: 1, reason: 'too slow' };

const encoder = new TextEncoder();

/** Topics are those of a server. One is there while somebody has subscribed to it. */
export class Topics {
  #topics = new Map(); // names to {subscribers: {core, whenFull} by session, published, sent, dropped}
  #names = new Map(); // those of a session's, so that its end does not cost more the more topics there are

  subscribe(session, core, name, whenFull) {
    let t = this.#topics.get(name);
    if (t === undefined) this.#topics.set(name, t = { subscribers: new Map(), published: 0, sent: 0, dropped: 0 });
    t.subscribers.set(session, { core, whenFull });
    if (!this.#names.has(session)) this.#names.set(session, new Set());
    this.#names.get(session).add(name);
  }

  /** unsubscribe ends a subscription, or all of a session. */
  unsubscribe(session, name) {
    const names = this.#names.get(session);
    for (const n of name === undefined ? [...names ?? []] : [name]) {
      const t = this.#topics.get(n);
      if (t?.subscribers.delete(session) && t.subscribers.size === 0) this.#topics.delete(n);
      names?.delete(n);
    }
    if (names?.size === 0) this.#names.delete(session);
  }

  has(session, name) {
    return this.#topics.get(name)?.subscribers.has(session) ?? false;
  }

  /** publish sends to all but one, and returns how many may get it. */
  publish(name, data, but) {
    const bytes = typeof data === 'string' ? encoder.encode(data) : bufferSource(data);
    const t = this.#topics.get(name);
    if (t === undefined) return 0;
    let sent = 0;
    for (const [session, { core, whenFull }] of [...t.subscribers]) {
      if (session === but) continue;
      if (core.offer(bytes)) {
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
    return t === undefined ? null : { subscribers: t.subscribers.size, published: t.published, sent: t.sent, dropped: t.dropped };
  }
}
