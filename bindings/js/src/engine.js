// One engine for an environment, which is the main thread or a worker: it finds the object
// that an event is for.

import { EV, Port } from './port.js';

let port = null;
let owners = new Map(); // of listeners and connections, by their handles

/** engine returns the port, and opens it when it is needed first, or has failed. */
export function engine() {
  if (port === null || !port.open) {
    port?.fail(); // what belongs to it must not meet the handles of the next
    port = new Port({}, dispatch, lost);
  }
  return port;
}

/** A Hold keeps the process alive, by the port that there is when it begins to. */
export class Hold {
  #port = null;

  set(on) {
    if (on === (this.#port !== null)) return;
    if (on) {
      this.#port = engine();
      this.#port.hold();
    } else {
      this.#port.release();
      this.#port = null;
    }
  }
}

/** own has the events of a listener or connection told to an object with event and accept. */
export function own(handle, owner) {
  owners.set(handle, owner);
}

/** disown ends that, for one of which nothing came. */
export function disown(handle) {
  owners.delete(handle);
}

// lost tells all objects that they have ended, as the engine has not: connections before the
// listeners that they came by. bytes are a gw_error.
function lost(bytes) {
  const all = [...owners.values()].reverse();
  owners = new Map();
  for (const owner of all) {
    try {
      owner.event(EV.CLOSED, 0, 0, 0, bytes);
    } catch (e) {
      queueMicrotask(() => { throw e; });
    }
  }
}

function dispatch(type, flags, aux, conn, id, bytes) {
  if (type === EV.ACCEPTED) {
    owners.get(id)?.accept(conn, bytes);
    return;
  }
  const owner = owners.get(conn);
  if (type === EV.CLOSED && id === 0) owners.delete(conn);
  owner?.event(type, flags, aux, id, bytes);
}
