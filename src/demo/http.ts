import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ApiAnswer, type ApiQuestion, type ApiRecord, apiKey, questionOf } from '../bundle/format.ts';
import type { Bundle } from '../bundle/open.ts';
import { apiAnswers } from '../bundle/replay.ts';
import { type Accounts, recordedSignIn } from './accounts.ts';
import { type Certificate, selfSigned } from './certificate.ts';
import { type DemoFaults, type HttpFault, type Renaming, renaming } from './faults.ts';
import { originsOf, rewriter } from './origins.ts';
import { pageOf, withoutPage } from './pages.ts';

export interface DemoHttp {
  /** Recorded origin → where it is served. */
  readonly served: ReadonlyMap<string, string>;
  readonly rewrite: (text: string) => string;
  /** PEM of the certificate, when served over TLS. */
  readonly cert: string | undefined;
  close(): Promise<void>;
}

/** A sign-in or an action is small; more is not for us. */
const MOST_BODY_BYTES = 64 * 1024;

/** Serves every API of the bundle on its own port of 127.0.0.1, so that paths stay as they were. */
export async function startHttp(bundle: Bundle, accounts: Accounts, faults: DemoFaults): Promise<DemoHttp> {
  const certificate = (faults.http ?? []).some((fault) => fault.do === 'self-signed') ? selfSigned() : undefined;
  const servers: Server[] = [];
  const served = new Map<string, string>();
  const context: Context = {
    accounts,
    names: renaming(faults.rename),
    aims: (faults.http ?? []).map((fault) => ({
      fault,
      left: 'times' in fault ? (fault.times ?? Infinity) : Infinity,
    })),
    open: apiAnswers(bundle)(),
    signIn: recordedSignIn(bundle),
    rewrite: (text) => text,
  };
  try {
    for (const origin of originsOf(bundle)) {
      const server = listener(certificate, (request, response) => {
        answer(context, origin, served.get(origin) ?? origin, request, response).catch(() => response.destroy());
      });
      servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
      const { port } = server.address() as AddressInfo;
      served.set(origin, `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`);
    }
  } catch (error) {
    await closeAll(servers);
    throw error;
  }
  context.rewrite = rewriter(served);
  return { served, rewrite: context.rewrite, cert: certificate?.cert, close: () => closeAll(servers) };
}

const listener = (certificate: Certificate | undefined, handle: RequestListener): Server =>
  certificate ? createTlsServer({ ...certificate }, handle) : createServer(handle);

async function closeAll(servers: readonly Server[]): Promise<void> {
  await Promise.all(
    servers.map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    ),
  );
}

interface Context {
  readonly accounts: Accounts;
  readonly names: Renaming;
  readonly aims: { readonly fault: HttpFault; left: number }[];
  /** Answers to what may be asked without a token. */
  readonly open: ReturnType<ReturnType<typeof apiAnswers>>;
  readonly signIn: ApiRecord | undefined;
  rewrite: (text: string) => string;
}

async function answer(
  context: Context,
  origin: string,
  here: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url ?? '/';
  const token = headerOf(request, 'x-auth-token');
  const { meets, pageSize } = faultsFor(context, path, token !== undefined);
  const slow = meets('slow');
  if (slow) await delay(slow.ms, response);
  if (meets('reset')) {
    request.socket.destroy();
    return;
  }
  const broken = meets('status');
  if (broken) {
    if (broken.status === 401 && token !== undefined) context.accounts.revoke(token);
    const retry = broken.retryAfter === undefined ? {} : { 'retry-after': String(broken.retryAfter) };
    sendError(response, broken.status, 'injected by the demo cloud', retry);
    return;
  }

  const found = await lookUp(context, origin, path, request, token, pageSize !== undefined);
  if ('status' in found) {
    sendError(response, found.status, found.why);
    return;
  }
  const { record, issued, marker } = found;
  if (!record.outcome.ok) {
    request.socket.destroy();
    return;
  }
  let { body } = record.outcome.value;
  body = context.names.json(context.rewrite(body));
  if (pageSize !== undefined) body = pageOf(body, new URL(path, here), marker, pageSize);
  const headers = headersFor(context, record.outcome.value, issued);
  const bytes = Buffer.from(body);
  if (meets('truncate')) {
    response.writeHead(record.outcome.value.status, { ...headers, connection: 'close' });
    response.end(bytes.subarray(0, bytes.length >> 1));
    return;
  }
  response.writeHead(record.outcome.value.status, { ...headers, 'content-length': bytes.length });
  response.end(request.method === 'HEAD' ? undefined : bytes);
}

function headersFor(context: Context, recorded: ApiAnswer, issued: string | undefined): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(recorded.headers)) {
    // a name or a line break that no header can hold is the bundle's fault, not a reason to fall
    if (/^[a-z0-9-]+$/.test(name) && /^[\t\x20-\x7e]*$/.test(value)) headers[name] = context.rewrite(value);
  }
  if (issued !== undefined) headers['x-subject-token'] = issued;
  return headers;
}

type Found =
  | { readonly record: ApiRecord; readonly issued: string | undefined; readonly marker: string | undefined }
  | { readonly status: number; readonly why: string };

async function lookUp(
  context: Context,
  origin: string,
  path: string,
  request: IncomingMessage,
  token: string | undefined,
  paged: boolean,
): Promise<Found> {
  const body = request.method === 'POST' ? await bodyOf(request) : undefined;
  const asked = askedUrl(context, origin, path);
  const { whole, marker } = paged ? withoutPage(asked) : { whole: asked, marker: undefined };
  const question = questionFor(request, whole.href, body);
  if (!question) return { status: 405, why: 'this demo cloud can only be read' };

  if (question.kind === 'sign-in') {
    if (!context.accounts.accepts(body))
      return { status: 401, why: 'The request you have made requires authentication.' };
    const record = context.open.get(apiKey(question)) ?? context.signIn;
    const good = record?.outcome.ok && record.outcome.value.status < 300 ? record : (context.signIn ?? record);
    return good
      ? { record: good, issued: context.accounts.issue(), marker: undefined }
      : { status: 501, why: 'not in this bundle: a sign-in' };
  }

  const grant = context.accounts.grant(token);
  const record = (grant?.answers ?? context.open).get(apiKey(question));
  if (!grant && (record?.authenticated ?? true)) {
    return { status: 401, why: 'The request you have made requires authentication.' };
  }
  if (!record) return { status: 501, why: `not in this bundle: ${question.method} ${asked.pathname}${asked.search}` };
  return { record, issued: undefined, marker };
}

/** The URL under which the answer was recorded. */
function askedUrl(context: Context, origin: string, path: string): URL {
  const url = new URL(path.startsWith('/') ? `${origin}${path}` : origin);
  const query = [...url.searchParams].map(([name, value]) => [name, context.names.back(value)] as [string, string]);
  url.search = new URLSearchParams(query).toString();
  return url;
}

function questionFor(request: IncomingMessage, url: string, body: unknown): ApiQuestion | undefined {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return questionOf({ kind: 'read', method: request.method, url, headers });
    case 'POST': {
      const { pathname } = new URL(url);
      if (pathname.endsWith('/auth/tokens')) return questionOf({ kind: 'sign-in', url, headers, body: '' });
      const lines = consoleLines(body);
      if (pathname.endsWith('/action') && lines !== undefined)
        return questionOf({ kind: 'console', url, headers, lines });
      return undefined;
    }
    default:
      return undefined;
  }
}

function consoleLines(body: unknown): number | undefined {
  if (typeof body !== 'object' || body === null || !('os-getConsoleOutput' in body)) return undefined;
  const action = body['os-getConsoleOutput'];
  if (typeof action !== 'object' || action === null || !('length' in action)) return undefined;
  return Number(action.length);
}

function faultsFor(context: Context, path: string, hasToken: boolean) {
  const hit = context.aims.filter(({ fault, left }) => {
    if (left <= 0) return false;
    const aimed = 'path' in fault ? fault.path : undefined;
    if (aimed !== undefined) return path.includes(aimed);
    // a plain 401 is about the token, so it meets only those who have one
    return hasToken || fault.do !== 'status' || fault.status !== 401;
  });
  const page = hit.find(({ fault }) => fault.do === 'page')?.fault;
  return {
    pageSize: page?.do === 'page' ? page.size : undefined,
    /** The fault of this kind that meets this request, if one is left. */
    meets<D extends HttpFault['do']>(kind: D): Extract<HttpFault, { do: D }> | undefined {
      const aim = hit.find(({ fault }) => fault.do === kind);
      if (!aim) return undefined;
      aim.left -= 1;
      return aim.fault as Extract<HttpFault, { do: D }>;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BODY_BYTES) throw new Error('body too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}

const headerOf = (request: IncomingMessage, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
};

/** Waits, or until the other side is gone. */
function delay(ms: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    response.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

const TITLES: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  405: 'Method Not Allowed',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
};

function sendError(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Record<string, string> = {},
): void {
  const body = JSON.stringify({ error: { code: status, title: TITLES[status] ?? 'Error', message } });
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(body);
}
