// One engine for an environment, which is the main thread or a worker: it finds the object
// that an event is for.

import { EV, Port } from './port.js';

let port = null;
const owners = new Map(); // of listeners and connections, by their handles

/** engine returns the port, and opens it when it is needed first. */
export function engine() {
  if (port === null || !port.open) {
    owners.clear();
    port = new Port({}, dispatch);
  }
  return port;
}

/** own has the events of a listener or connection told to an object with event and accept. */
export function own(handle, owner) {
  owners.set(handle, owner);
}

/** disown ends that, for one of which nothing came. */
export function disown(handle) {
  owners.delete(handle);
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
