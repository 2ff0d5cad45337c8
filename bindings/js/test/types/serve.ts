import { fromNode, serve, Server } from 'godwit';

const server = serve({
  port: 0, hostname: 'localhost', tls: { cert: ['PEM', 'PEM'], key: 'PEM' }, maxStreams: 10,
  fetch(request, server) {
    const { address, port, family } = server.requestIP(request) ?? { address: '', port: 0, family: 'IPv4' };
    server.hint(request, { link: '</a.css>; rel=preload' });
    server.sendTrailers(request, () => ({ digest: 'x' }));
    return new Response(`${address}${port}${family}${server.protocol(request)}${this.port}`);
  },
  routes: {
    '/static': new Response('always'),
    '/off': false,
    '/users/:id': (request) => new Response(request.params.id),
    '/users/:id/files/*': async (request, server) => new Response(`${request.params.id} ${request.params['*']} ${server.pendingRequests}`),
    '/both/:name': { GET: (request) => new Response(request.params.name.trim()), POST: new Response(null, { status: 201 }) },
  },
  error(error) { return new Response(String(error), { status: 500 }); },
  webtransport: {
    open(session, request) { if (request.path !== '/chat') return new Response(null, { status: 404 }); session.subscribe('chat'); return undefined; },
    datagram(session, data) { session.sendDatagram(data); },
  },
});
const url: URL = server.url;
const same: Promise<Server> = server.ready;
server.reload({ routes: { '/:x': (request) => new Response(request.params.x) } });
const n: number = server.publish('chat', 'hello');
async function uses(): Promise<void> {
  const trailers: Headers | null = await server.trailers(new Request(url.href));
  for (const session of server.sessions) session.close({ closeCode: n, reason: trailers?.get('x') ?? '' });
  await same;
  await server.stop(false);
}
void uses;

// @ts-expect-error a handler returns a Response
serve({ fetch: () => 'hello' });
// @ts-expect-error the path has no such parameter
serve({ routes: { '/users/:id': (request) => new Response(request.params.name) } });
// @ts-expect-error no such method
serve({ routes: { '/': { FETCH: new Response() } } });
// @ts-expect-error a route is no string
serve({ routes: { '/': 'hello' } });
// @ts-expect-error no such option
serve({ fetch: () => new Response(), hots: 'localhost' });
// @ts-expect-error PEM
serve({ fetch: () => new Response(), tls: { cert: 4 } });
// @ts-expect-error a server is got from serve only
new Server();
// @ts-expect-error it is told, not set
server.port = 1;
// @ts-expect-error a topic and data
server.publish('chat');
serve((req, res) => { res.end(req.url); }, { port: 0 });
const old: (request: Request, server: Server) => Promise<Response> = fromNode((req, res) => res.end());
serve({ routes: { '/old/*': old } });
// @ts-expect-error a function
fromNode({});

import { Response as Quick } from 'godwit';
const quick: Response = new Quick('text', { status: 201 });
serve({ fetch: () => Quick.json({ a: 1 }), routes: { '/quick': () => quick } });
