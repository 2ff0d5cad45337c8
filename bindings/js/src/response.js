// A Response whose content is known without reading it.

const Platform = globalThis.Response;

// How many characters or bytes of content are kept at most; it goes with the header then.
const KEPT = 16 << 10;

/**
 * Response is the platform's, and remembers a small content that it is made of, so that a
 * server need not read it out of a stream, which is dear: some microseconds for each.
 */
export class Response extends Platform {
  #content = null;

  constructor(body = null, init = undefined) {
    super(body, init);
    if (typeof body === 'string') {
      if (body.length <= KEPT) this.#content = body;
    } else if (body instanceof Uint8Array && body.byteLength <= KEPT) {
      this.#content = new Uint8Array(body); // the caller's may change
    }
  }

  static json(data, init) {
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Response.json: the value is none of JSON\'s');
    const response = new Response(text, init);
    if (!new Headers(init?.headers).has('content-type')) response.headers.set('content-type', 'application/json');
    return response;
  }

  /** contentOf returns the content of a response, a string or bytes, null if it has to be read. */
  static contentOf(response) {
    return typeof response === 'object' && #content in response && !response.bodyUsed ? response.#content : null;
  }
}

export const { contentOf } = Response;
delete Response.contentOf;
