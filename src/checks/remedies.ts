import type { Remedy } from '../engine/finding.ts';
import { advice, byOperator, onHost } from '../engine/finding-of.ts';
import type { Agent } from '../facts/schemas/network.ts';

/** Gives something to an agent that could take it; where none could, the list of agents is what to look at first. */
export function scheduling(
  title: string,
  agents: readonly Agent[],
  binary: string,
  command: (id: string) => readonly [string, ...string[]],
): Remedy {
  const fit = agents.find((a) => a.binary === binary && a.alive && a.admin_state_up);
  return {
    title,
    risk: 'none',
    sufficient: fit !== undefined,
    steps:
      fit === undefined
        ? [
            byOperator(['openstack', 'network', 'agent', 'list']),
            advice(`no ${binary} is alive and enabled: start one first`),
          ]
        : [byOperator(command(fit.id), `${binary} on ${fit.host}`)],
  };
}

/** Takes away a rule, flow or route that Neutron did not make, as its tool takes it: `iptables -D …`, `ovs-ofctl --strict del-flows …`. */
export const deletingRule = (host: string, remove: readonly [string, ...string[]]): Remedy =>
  deletingRules([{ host, remove }]);

/** Takes away several that each stand in the way: nothing passes before all of them are gone. */
export const deletingRules = (
  rules: readonly { readonly host: string; readonly remove: readonly [string, ...string[]] }[],
): Remedy => ({
  title: rules.length > 1 ? 'delete the rules, once their maker agrees' : 'delete the rule, once its maker agrees',
  risk: 'reversible',
  sufficient: true,
  steps: [
    ...rules.map(({ host, remove }) => onHost(host, remove)),
    advice('whoever made it may make it again: look for the tool behind it', rules[0]?.host),
  ],
});

/** What to do where packets come to the guest and nothing comes back. */
export const lookingInside: Remedy = {
  title: 'look inside the instance',
  risk: 'none',
  sufficient: false,
  steps: [advice('its console: which address and route it has, and whether its own firewall drops the traffic')],
};
