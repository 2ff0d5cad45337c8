import godwit = require('godwit');

const server: godwit.Server = godwit.serve({ fetch: () => new Response('hello') });
const options: godwit.QuicSocketOptions = { port: 1 };
godwit.quic(options).close();
void server.stop();
// @ts-expect-error there is no such thing
godwit.listen();
