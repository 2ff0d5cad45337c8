// Streams that the peer has opened, as a stream of them.

const WAITING = 1 << 16; // that nobody has asked for; the peer's limits are lower as a rule

/** Incoming hands streams on when they are wanted. */
export class Incoming {
  readable;
  #controller; #queue = []; #wanted = false; #over = false;

  constructor() {
    this.readable = new ReadableStream({
      start: (c) => { this.#controller = c; },
      pull: () => {
        this.#wanted = true;
        this.#hand();
      },
      cancel: () => {
        this.#over = true;
        for (const s of this.#queue.splice(0)) refuse(s);
      },
    }, { highWaterMark: 0 });
  }

  /** add takes one that has come. */
  add(s) {
    if (this.#over || this.#queue.length === WAITING) {
      refuse(s);
      return;
    }
    this.#queue.push(s);
    this.#hand();
  }

  // hand gives the reader the next; those that the peer has given up before are not seen.
  #hand() {
    while (this.#wanted && this.#queue.length > 0) {
      const s = this.#queue.shift();
      if (s.forsaken) continue;
      this.#wanted = false;
      this.#controller.enqueue(s.facade);
    }
  }

  /** end closes it, or has it fail. */
  end(err) {
    if (this.#over) return;
    this.#over = true;
    this.#queue.length = 0;
    if (err === undefined) this.#controller.close();
    else this.#controller.error(err);
  }
}

function refuse(s) {
  s.pipe.stop(0);
  s.pipe.reset(0);
}
