import { Agent, Dispatcher, fetch } from 'godwit';

const agent = new Agent({ connections: 2, requests: 10, total: 20, keepAliveTimeout: 1000, patience: 100, tls: { ca: 'PEM', cert: 'PEM', key: 'PEM' }, idleTimeout: 5000 });
async function uses(): Promise<void> {
  const response: Response = await fetch('https://localhost:4433/', { method: 'POST', body: 'hello', agent, protocol: 'http3', signal: AbortSignal.timeout(100) });
  const text: string = await response.text();
  const { fetch: own } = agent;
  await own(new URL('https://localhost/'), { headers: { 'x-text': text } });
  if (agent.connections > 0 && !agent.closed) await agent.close();
  await agent.destroy();
}
void uses;

// @ts-expect-error a URL, or a Request
fetch();
// @ts-expect-error none of the two
fetch('https://localhost/', { protocol: 'http2' });
// @ts-expect-error an agent of this package
fetch('https://localhost/', { agent: {} });
// @ts-expect-error a number
new Agent({ connections: 'many' });
// @ts-expect-error no such option
new Agent({ retries: 3 });
const dispatcher = new Dispatcher({ agent, fallback: new Dispatcher() });
void dispatcher.close();
dispatcher.destroy(null, () => {});
// @ts-expect-error no dispatcher
new Dispatcher({ fallback: {} });
