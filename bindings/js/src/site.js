// What a server answers requests with, whatever the protocol: routes, fetch and error.

import { exchangeOf, setParams } from './exchange.js';
import { Response } from './response.js';
import { handlerFor, isResponse, Router, Static } from './routes.js';

/** A Site answers requests for a server. */
export class Site {
  /** How many requests are under way. */
  pending = 0;
  authority = 'localhost';
  #router; #fetch; #error; #server; #whenIdle = [];

  /** server is what handlers get besides the request. */
  constructor(server) {
    this.#server = server;
  }

  /** set takes what is to answer from now on. It changes nothing if it throws. */
  set(what, options) {
    for (const name of ['fetch', 'error']) {
      if (options[name] !== undefined && typeof options[name] !== 'function') throw new TypeError(`${what}: ${name} must be a function`);
    }
    const router = new Router(what, options.routes);
    if (options.fetch === undefined && options.routes === undefined && !options.webtransport) {
      throw new TypeError(`${what}: fetch, routes or webtransport must be there`);
    }
    this.#router = router;
    this.#fetch = options.fetch;
    this.#error = options.error;
  }

  statics() {
    return this.#router.statics();
  }

  /** begins and ends count an exchange, which has request, signal, remote, protocol, hint, trailers, sendTrailers. */
  begins() {
    this.pending++;
  }

  ends() {
    if (--this.pending === 0) {
      for (const f of this.#whenIdle.splice(0)) f();
    }
  }

  idle() {
    return this.pending === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  exchange(request) {
    return exchangeOf(request);
  }

  /** answer returns the response to a request, or a promise of it. It never fails. */
  answer(request, path) {
    try {
      const answer = this.#handle(request, path);
      if (isResponse(answer)) return answer;
      return Promise.resolve(answer).then((x) => isResponse(x) ? x : this.failed(noResponse()), (e) => this.failed(e));
    } catch (e) {
      return this.failed(e);
    }
  }

  #handle(request, path) {
    const found = this.#router.find(path);
    const handler = found && handlerFor(found.handlers, request.method);
    if (handler instanceof Static) return handler.response();
    if (handler) {
      if (found.params !== null) setParams(request, found.params);
      return handler.call(this.#server, request, this.#server);
    }
    if (this.#fetch !== undefined) return this.#fetch.call(this.#server, request, this.#server);
    if (!found) return new Response('Not Found', { status: 404 });
    return new Response('Method Not Allowed', { status: 405, headers: { allow: [...found.handlers.keys()].join(', ') } });
  }

  /** failed returns the response to an error of a handler. */
  async failed(error) {
    try {
      if (this.#error !== undefined) return checked(await this.#error.call(this.#server, error));
    } catch (again) {
      error = again;
    }
    console.error(error);
    return new Response('Internal Server Error', { status: 500 });
  }

  /** report tells of an error that is too late to be answered. */
  report(error) {
    if (this.#error === undefined) {
      console.error(error);
      return;
    }
    Promise.resolve().then(() => this.#error.call(this.#server, error)).catch((again) => console.error(again));
  }
}

function checked(x) {
  if (!isResponse(x)) throw noResponse();
  return x;
}

const noResponse = () => new TypeError('a handler must return a Response, or a promise of one');
