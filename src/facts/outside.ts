import { observed } from '../engine/fact.ts';
import type { FactFailure } from '../engine/failure.ts';
import { err } from '../engine/result.ts';
import { namespaceName } from '../path/addresses.ts';
import { asked } from './asked.ts';
import { type Connect, connect } from './connect.ts';
import { probesOff, source } from './io.ts';
import { nsExists } from './namespace.ts';
import { type PingRun, type Sender, sendPing } from './ping.ts';
import { routerHost, servingRouters } from './port-api.ts';
import type { PortSubject } from './subject.ts';

/** What comes of an address outside when it is tried from the routers that carry the port's traffic. */
export interface Outside {
  readonly address: string;
  readonly pings: readonly Omit<PingRun, 'what'>[];
  /** TCP ports that the operator named. */
  readonly connects: readonly Connect[];
  readonly notSent: readonly { readonly host: string; readonly failure: FactFailure }[];
}

/** Pings (and, where TCP was asked about, connects to) the outside address of `--to` from every serving router with a gateway. */
export const outside = source<PortSubject, Outside>(
  'port.outside',
  (subject) => subject.id,
  async (subject, facts) => {
    const { peer } = facts.io;
    if (peer?.kind !== 'address') return err({ kind: 'unsupported', because: 'no address outside was named (--to)' });
    if (!facts.io.options.mayProbe) return err(probesOff);
    const [routers, what] = await Promise.all([facts.get(servingRouters, subject), facts.get(asked, subject)]);
    if (!routers.ok) return routers;
    const { address } = peer;
    const ports =
      what.ok && what.value.value.explicit
        ? what.value.value.probes.flatMap((p) => (p.protocol === 'tcp' && p.port !== undefined ? [p.port] : []))
        : [];
    const pings: Omit<PingRun, 'what'>[] = [];
    const connects: Connect[] = [];
    const notSent: { host: string; failure: FactFailure }[] = [];
    await Promise.all(
      routers.value.value.map(async (serving) => {
        const host = routerHost(serving);
        if (host === undefined || !serving.router.external_gateway_info) return;
        const netns = namespaceName('qrouter', serving.router.id);
        const exists = await facts.get(nsExists, { host, name: netns });
        if (!exists.ok || !exists.value.value) {
          notSent.push({
            host,
            failure: exists.ok ? { kind: 'not-found', what: `namespace ${netns} on ${host}` } : exists.error,
          });
          return;
        }
        const sender: Sender = { from: 'qrouter', host, netns };
        const routerId = serving.router.id;
        await Promise.all([
          sendPing(facts, sender, address).then((sent) => {
            if (sent.ok) pings.push({ ...sender, to: address, routerId, ...sent.value });
            else notSent.push({ host, failure: sent.error });
          }),
          ...ports.map(async (port) => {
            const tried = await connect(facts, sender, address, port);
            if (tried.ok) connects.push({ ...sender, to: address, port, routerId, ...tried.value });
          }),
        ]);
      }),
    );
    pings.sort((a, b) => (a.host < b.host ? -1 : 1));
    connects.sort((a, b) => a.port - b.port || (a.host < b.host ? -1 : 1));
    return observed({ address, pings, connects, notSent }, ...pings.map((p) => p.evidence));
  },
);
