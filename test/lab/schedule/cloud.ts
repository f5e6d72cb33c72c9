/** JSON of an API: looked into, never trusted to have a shape. */
// biome-ignore lint/suspicious/noExplicitAny: answers of four services, of which each case reads a field or two
export type Json = any;

export interface Reply {
  readonly status: number;
  readonly body: Json;
  readonly request: string | undefined;
}

/** Who asks. `admin` is the administrator in the project demo. */
export type Who = 'admin' | 'demo' | 'other';

export type Service = 'nova' | 'placement' | 'neutron' | 'glance';

const ports: Record<Service, string> = {
  nova: '8774/v2.1',
  placement: '8778',
  neutron: '9696/v2.0',
  glance: '9292/v2',
};
const users: Record<Who, { readonly name: string; readonly project: string }> = {
  admin: { name: 'admin', project: 'demo' },
  demo: { name: 'demo', project: 'demo' },
  other: { name: 'other', project: 'other' },
};
/** The last with which hypervisors have memory and CPUs; extra specs are not yet judged by the API (2.86). */
export const novaVersion = '2.79';
export const placementVersion = '1.36';

/** The lab's APIs, asked from inside the operator's network. */
export class Cloud {
  readonly #ctl: string;
  readonly #password: string;
  readonly #tokens = new Map<Who, { readonly token: string; readonly project: string; readonly until: number }>();

  /** Nothing more is asked once this is aborted. */
  readonly cut: AbortSignal;

  constructor(ctl: string, password: string, cut: AbortSignal = new AbortController().signal) {
    this.#ctl = ctl;
    this.#password = password;
    this.cut = cut;
  }

  async project(who: Who): Promise<string> {
    return (await this.#login(who)).project;
  }

  async ask(
    service: Service,
    method: string,
    path: string,
    body?: Json,
    more: { readonly who?: Who; readonly version?: string; readonly type?: string } = {},
  ): Promise<Reply> {
    const { token } = await this.#login(more.who ?? 'admin');
    const headers: Record<string, string> = {
      'X-Auth-Token': token,
      'Content-Type': more.type ?? 'application/json',
      Accept: 'application/json',
      Connection: 'close',
    };
    if (service === 'nova') headers['OpenStack-API-Version'] = `compute ${more.version ?? novaVersion}`;
    if (service === 'placement') headers['OpenStack-API-Version'] = `placement ${more.version ?? placementVersion}`;
    const reply = await fetch(`http://${this.#ctl}:${ports[service]}${path}`, {
      method,
      headers,
      signal: AbortSignal.any([this.cut, AbortSignal.timeout(200_000)]),
      ...(body === undefined ? {} : { body: body instanceof Uint8Array ? body : JSON.stringify(body) }),
    });
    const text = await reply.text();
    let parsed: Json;
    try {
      parsed = text === '' ? undefined : JSON.parse(text);
    } catch {
      parsed = text;
    }
    return { status: reply.status, body: parsed, request: reply.headers.get('x-openstack-request-id') ?? undefined };
  }

  /** Throws where the service refuses: for what has to work. */
  async need(
    service: Service,
    method: string,
    path: string,
    body?: Json,
    more: { readonly who?: Who; readonly version?: string; readonly type?: string } = {},
  ): Promise<Json> {
    const reply = await this.ask(service, method, path, body, more);
    if (reply.status >= 400)
      throw new Error(`${method} ${service} ${path}: ${reply.status} ${JSON.stringify(reply.body)?.slice(0, 300)}`);
    return reply.body;
  }

  get(service: Service, path: string, version?: string): Promise<Json> {
    return this.need(service, 'GET', path, undefined, version === undefined ? {} : { version });
  }

  async #login(who: Who): Promise<{ readonly token: string; readonly project: string }> {
    const had = this.#tokens.get(who);
    if (had !== undefined && had.until > Date.now()) return had;
    const { name, project } = users[who];
    const domain = { id: 'default' };
    const reply = await fetch(`http://${this.#ctl}:5000/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Connection: 'close' },
      body: JSON.stringify({
        auth: {
          identity: { methods: ['password'], password: { user: { name, domain, password: this.#password } } },
          scope: { project: { name: project, domain } },
        },
      }),
    });
    if (reply.status !== 201) throw new Error(`no token for ${name}: ${reply.status}`);
    const body: Json = await reply.json();
    const made = {
      token: reply.headers.get('x-subject-token') ?? '',
      project: String(body.token.project.id),
      until: Date.now() + 1_800_000,
    };
    this.#tokens.set(who, made);
    return made;
  }
}
