import { defineCheck, passed } from '../../engine/check.ts';
import { hostLinks } from '../../facts/host.ts';
import { type Io, showing } from '../../facts/io.ts';
import { onComputeHost, placement } from '../../facts/placement.ts';
import type { PortSubject } from '../../facts/subject.ts';

const needs = { placement, links: onComputeHost(hostLinks) };

/** Counters are judged by difference, never by absolute value; here they are only shown. */
export default defineCheck<Io, PortSubject, typeof needs>({
  id: 'host.drops',
  per: 'port',
  title: "The counters of the port's devices were read",
  needs,
  findings: [],
  judge: ({ facts }) => {
    const { backend, bound, segment } = facts.placement.value;
    const names = new Set(backend.attachment(bound, segment).map((d) => d.name));
    const own = facts.links.value.filter((l) => names.has(l.name));
    const lines = own.map(
      (l) =>
        `${l.name}: rx ${l.rx.packets} (errors ${l.rx.errors}, dropped ${l.rx.dropped}) tx ${l.tx.packets} (errors ${l.tx.errors}, dropped ${l.tx.dropped})`,
    );
    const dropped = own.reduce((sum, l) => sum + l.rx.dropped + l.tx.dropped, 0);
    return passed(
      `${dropped} drops since the devices were made`,
      facts.links.evidence.map((e) => showing(e, lines)),
    );
  },
});
