import pLimit, { type LimitFunction } from 'p-limit';
import { z } from 'zod';
import type { Clock } from '../engine/clock.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err, ok, type Result } from '../engine/result.ts';
import type { Waves } from '../engine/waves.ts';
import { type Asked, failedAnswer, unreachableService } from './answers.ts';
import type { Ask } from './auth/body.ts';
import { openstackTokenIssuer, type TokenIssuer } from './auth/token-issue.ts';
import { chooseAll, chooseEndpoint, unversioned, versionedBase } from './catalog.ts';
import type {
  Answer,
  Cloud,
  Endpoint,
  GetRequest,
  Identity,
  ListRequest,
  ServiceType,
  ServiceVersion,
} from './cloud.ts';
import type { CloudConfig } from './config/types.ts';
import { excerptOf } from './excerpt.ts';
import type { Headers, HttpClient, HttpRequest } from './http.ts';
import { lowerMicroversion } from './microversions.ts';
import { nextQuery } from './pages.ts';
import { answerOf, askedOf, microversionHeaders, noList, parse, pathOf, queryOf, type Reply } from './reading.ts';
import { createSender, type Sender } from './sender.ts';
import { parseJson, type SignedIn, signIn } from './sign-in.ts';
import { pickVersion, versionsSchema } from './versions.ts';

export interface CloudParts {
  readonly config: CloudConfig;
  readonly http: HttpClient;
  readonly waves: Waves;
  readonly clock: Clock;
  /** Asks for a password that is not configured; absent when nobody can be asked. */
  readonly ask?: Ask;
  /** Environment for `openstack token issue`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Replaces `openstack token issue` (a bundle that is replayed has no use for it). */
  readonly issueToken?: TokenIssuer;
}

/** As many as the pool has connections. */
const perService = 8;
const maxPages = 1000;
const defaultItems = 10_000;
/** A failed sign-in is not tried again for so long: three wrong passwords can lock an account. */
const signInRestMs = 30_000;

/** The read-only client of one cloud. Nothing is sent before the first question. */
export function openCloud(parts: CloudParts): Cloud {
  return new Session(parts);
}

class Session implements Cloud {
  readonly name: string;
  readonly region?: string;
  readonly #parts: CloudParts;
  readonly #send: Sender;
  readonly #stop = new AbortController();
  readonly #limits = new Map<ServiceType, LimitFunction>();
  /** The highest microversion of services that refused a higher one. */
  readonly #maximum = new Map<ServiceType, Promise<string | undefined>>();
  readonly #issueToken: TokenIssuer;
  #attempt: Attempt | undefined;
  #requests = 0;

  constructor(parts: CloudParts) {
    this.#parts = parts;
    this.name = parts.config.name;
    if (parts.config.region !== undefined) this.region = parts.config.region;
    this.#issueToken = parts.issueToken ?? openstackTokenIssuer(issuerOf(parts));
    this.#send = createSender({
      http: parts.http,
      now: () => parts.clock.now(),
      onRequest: () => {
        this.#requests += 1;
      },
      signal: this.#stop.signal,
    });
  }

  get requests(): number {
    return this.#requests;
  }

  async identity(): Promise<Result<Answer<Identity>, FactFailure>> {
    return this.#inWave(async () => {
      const signed = await this.#signIn();
      return signed.ok
        ? ok({ value: signed.value.identity, evidence: signed.value.evidence, ms: signed.value.ms })
        : signed;
    });
  }

  async endpoints(): Promise<Result<Answer<readonly Endpoint[]>, FactFailure>> {
    return this.#inWave(async () => {
      const signed = await this.#signIn();
      if (!signed.ok) return signed;
      const value = chooseAll(signed.value.catalog, this.#parts.config);
      const urls = Object.fromEntries(value.map((endpoint) => [endpoint.service, endpoint.url]));
      return ok({
        value,
        evidence: { ...signed.value.evidence, excerpt: excerptOf({ catalog: urls }) },
        ms: signed.value.ms,
      });
    });
  }

  async get<T>(request: GetRequest<T>): Promise<Result<Answer<T>, FactFailure>> {
    return this.#inWave(async () => {
      const reply = await this.#read(request, queryOf(request.query));
      if (!reply.ok) return reply;
      const body = parseJson(reply.value.response.body);
      const parsed = parse(request.schema, body, askedOf(request), '');
      if (!parsed.ok) return parsed;
      return ok(answerOf(parsed.value, request.service, 'GET', reply.value, excerptOf(body)));
    });
  }

  async list<T>(request: ListRequest<T>): Promise<Result<Answer<readonly T[]>, FactFailure>> {
    return this.#inWave(() => this.#pages(request));
  }

  async #pages<T>(request: ListRequest<T>): Promise<Result<Answer<readonly T[]>, FactFailure>> {
    const asked = askedOf(request);
    const limit = request.limit ?? defaultItems;
    const items: T[] = [];
    const seen = new Set<string>();
    let query: URLSearchParams | undefined = queryOf(request.query);
    let first: Answer<unknown> | undefined;
    let ms = 0;
    for (let page = 1; query !== undefined && page <= maxPages && items.length < limit; page += 1) {
      seen.add(query.toString());
      const reply = await this.#read(request, query);
      if (!reply.ok) return reply;
      const { response } = reply.value;
      const body = parseJson(response.body);
      const raw = (body as Readonly<Record<string, unknown>> | null | undefined)?.[request.items];
      if (!Array.isArray(raw)) return err(noList(asked, request.items, body));
      for (const item of raw) {
        const parsed = parse(request.schema, item, asked, `${request.items}[${items.length}]`);
        if (!parsed.ok) return parsed;
        items.push(parsed.value);
        if (items.length >= limit) break;
      }
      ms += response.ms;
      first ??= answerOf(raw, request.service, 'GET', reply.value, excerptOf({ [request.items]: raw }));
      const next = raw.length === 0 ? undefined : nextQuery(body, request.items);
      // A link that leads to a page we have had would go round for ever.
      query = next === undefined || seen.has(next.toString()) ? undefined : next;
    }
    if (first === undefined) throw new Error('a list of no items was asked for');
    return ok({ value: items, evidence: first.evidence, ms });
  }

  async version(service: ServiceType): Promise<Result<Answer<ServiceVersion>, FactFailure>> {
    return this.#inWave(() => this.#version(service));
  }

  async #version(service: ServiceType): Promise<Result<Answer<ServiceVersion>, FactFailure>> {
    const asked: Asked = { service, what: 'version document' };
    const located = await this.#locate(service, asked);
    if (!located.ok) return located;
    const { base } = located.value;
    const read = (url: string) =>
      this.#authorised(service, asked, (_, headers) => ({ kind: 'read', method: 'GET', url, headers }));
    let url = unversioned(base);
    let answer = await read(url);
    const refused = answer.ok && answer.value.response.status >= 400 && answer.value.response.status < 500;
    // A balancer may pass on only what is below the version.
    if (refused && url !== `${base}/`) {
      url = `${base}/`;
      answer = await read(url);
    }
    if (!answer.ok) return answer;
    const { response } = answer.value;
    // 300 Multiple Choices is how several services send the list.
    if (response.status !== 300 && (response.status < 200 || response.status > 299))
      return err(failedAnswer(asked, response));
    const body = parseJson(response.body);
    const parsed = parse(versionsSchema, body, asked, '');
    if (!parsed.ok) return parsed;
    const version = pickVersion(service, parsed.value, base);
    if (!version)
      return err({ kind: 'shape', what: `${service} ${asked.what}`, detail: 'the list of versions is empty' });
    return ok(answerOf(version, service, 'GET', { response, path: pathOf(url) }, excerptOf({ version })));
  }

  async console(serverId: string, lines: number): Promise<Result<Answer<string>, FactFailure>> {
    return this.#inWave(async () => {
      const asked: Asked = { service: 'compute', what: `console of server ${serverId}` };
      const reply = await this.#authorised('compute', asked, (base, headers) => ({
        kind: 'console',
        url: `${base}/servers/${encodeURIComponent(serverId)}/action`,
        headers,
        lines,
      }));
      if (!reply.ok) return reply;
      const { response } = reply.value;
      if (response.status === 501)
        return err({ kind: 'unsupported', because: 'the hypervisor driver has no console log' });
      if (response.status < 200 || response.status > 299) return err(failedAnswer(asked, response));
      const parsed = parse(consoleSchema, parseJson(response.body), asked, '');
      if (!parsed.ok) return parsed;
      const output = parsed.value.output ?? '';
      // The text itself is the guest's, and may hold its secrets: only its size is evidence.
      const excerpt = JSON.stringify({ lines: output === '' ? 0 : output.split('\n').length, bytes: output.length });
      return ok(answerOf(output, 'compute', 'POST', reply.value, excerpt));
    });
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#parts.http.close();
  }

  /** The nodes wait for us as long as an answer may still bring work for them. */
  async #inWave<T>(work: () => Promise<T>): Promise<T> {
    const leave = this.#parts.waves.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** One sign-in for all who ask; a failure is kept for a while, so that nobody knocks with a wrong password in a row. */
  async #signIn(): Promise<Result<SignedIn, FactFailure>> {
    const { config, clock, ask } = this.#parts;
    const known = this.#attempt;
    if (known && (known.failedAt === undefined || clock.now() - known.failedAt < signInRestMs)) return known.result;
    const attempt: Attempt = {
      result: signIn({
        config,
        send: this.#send,
        issueToken: this.#issueToken,
        now: () => new Date(clock.now()).toISOString(),
        ask,
      }),
    };
    this.#attempt = attempt;
    const result = await attempt.result;
    if (result.ok) attempt.value = result.value;
    else attempt.failedAt = clock.now();
    return result;
  }

  async #locate(
    service: ServiceType,
    asked: Asked,
  ): Promise<Result<{ readonly base: string; readonly headers: Headers; readonly signed: SignedIn }, FactFailure>> {
    const signed = await this.#signIn();
    if (!signed.ok) return signed;
    const { config } = this.#parts;
    const standalone = signed.value.identity.scope === 'none' ? config.auth.endpoint : undefined;
    const chosen =
      standalone !== undefined && config.endpointOverride[service] === undefined
        ? ok<Endpoint>({ service, url: standalone })
        : chooseEndpoint(service, signed.value.catalog, config);
    if (!chosen.ok) return err(noEndpoint(asked, chosen.error, signed.value.identity));
    if (!URL.canParse(chosen.value.url)) {
      return err({
        kind: 'api',
        ...asked,
        detail: `the endpoint ${chosen.value.url} is not a URL; correct it in the catalog`,
      });
    }
    const headers = { accept: 'application/json', ...signed.value.headers };
    return ok({ base: versionedBase(service, chosen.value.url), headers, signed: signed.value });
  }

  /** Sends with a token; one that has expired or was revoked is replaced once. */
  async #authorised(
    service: ServiceType,
    asked: Asked,
    build: (base: string, headers: Headers) => HttpRequest,
  ): Promise<Result<Reply, FactFailure>> {
    for (let attempt = 1; ; attempt += 1) {
      const located = await this.#locate(service, asked);
      if (!located.ok) return located;
      const { base, headers, signed } = located.value;
      const request = build(base, headers);
      const answer = await this.#limited(service, request);
      if (!answer.ok) return err(this.#unreachable(asked, answer.error, service));
      if (answer.value.status !== 401 || attempt === 2)
        return ok({ response: answer.value, path: pathOf(request.url) });
      // Somebody else may have got a new token meanwhile: only the refused one is forgotten.
      if (this.#attempt?.value === signed) this.#attempt = undefined;
    }
  }

  /** GET below the service's version; a microversion the server is too old for is lowered to its maximum. */
  async #read(request: GetRequest<unknown>, query: URLSearchParams): Promise<Result<Reply, FactFailure>> {
    const { service, path } = request;
    if (!/^\/[^?#\s]*$/.test(path)) throw new Error(`not a path: ${path}`);
    const asked = askedOf(request);
    const search = query.size === 0 ? '' : `?${query.toString()}`;
    const known = this.#maximum.get(service);
    let microversion = request.microversion && lowerMicroversion(request.microversion, known && (await known));
    const build = (base: string, headers: Headers): HttpRequest => ({
      kind: 'read',
      method: 'GET',
      url: base + path + search,
      headers: { ...headers, ...microversionHeaders(service, microversion) },
    });
    let answer = await this.#authorised(service, asked, build);
    if (answer.ok && answer.value.response.status === 406 && request.microversion !== undefined) {
      const maximum = await this.#serverMaximum(service);
      const lower = maximum === undefined ? undefined : lowerMicroversion(request.microversion, maximum);
      if (lower !== undefined && lower !== microversion) {
        microversion = lower;
        answer = await this.#authorised(service, asked, build);
      }
    }
    if (!answer.ok) return answer;
    const { response } = answer.value;
    return response.status >= 200 && response.status < 300 ? answer : err(failedAnswer(asked, response));
  }

  #serverMaximum(service: ServiceType): Promise<string | undefined> {
    const known = this.#maximum.get(service);
    if (known) return known;
    const asked = this.#version(service).then((version) =>
      version.ok ? version.value.value.maxMicroversion : undefined,
    );
    this.#maximum.set(service, asked);
    return asked;
  }

  #limited(service: ServiceType, request: HttpRequest): ReturnType<Sender> {
    let limit = this.#limits.get(service);
    if (!limit) {
      limit = pLimit(perService);
      this.#limits.set(service, limit);
    }
    return limit(() => this.#send(request));
  }

  #unreachable(asked: Asked, failure: Parameters<typeof unreachableService>[1], service: ServiceType): FactFailure {
    const { config } = this.#parts;
    const urlFrom =
      config.endpointOverride[service] === undefined
        ? `the ${service} endpoint of the catalog`
        : `${service} endpoint_override`;
    return unreachableService(asked, failure, { urlFrom, signIn: false, timeoutMs: config.timeoutMs });
  }
}

interface Attempt {
  readonly result: Promise<Result<SignedIn, FactFailure>>;
  value?: SignedIn;
  failedAt?: number;
}

const consoleSchema = z.looseObject({ output: z.string().nullable() });

function issuerOf({ config, env }: CloudParts): Parameters<typeof openstackTokenIssuer>[0] {
  return { env: env ?? process.env, ...(config.from === 'file' ? { cloud: config.name } : {}) };
}

function noEndpoint(asked: Asked, { absent, why }: { absent: boolean; why: string }, identity: Identity): FactFailure {
  if (identity.scope === 'unscoped') {
    const detail = `${identity.user.name} is signed in without a project, so there is no catalog; set project_name (OS_PROJECT_NAME)`;
    return { kind: 'api', ...asked, detail };
  }
  return absent ? { kind: 'unsupported', because: why } : { kind: 'api', ...asked, detail: why };
}
