/** Where a difference was found: what Neutron ordered is lost between the layer before and this one. */
export type Layer = 'northbound' | 'southbound' | 'chassis';

/** What is wrong, closed: each kind has one code. */
export type DifferenceKind =
  | 'port-missing'
  | 'port-differs'
  | 'not-carried-over'
  | 'not-bound'
  | 'interface-wrong'
  | 'interface-twice'
  | 'switch-differs'
  | 'localnet-differs'
  | 'switch-stranger'
  | 'acl-stranger'
  | 'address-set-stale'
  | 'dhcp-unset'
  | 'dhcp-differs'
  | 'router-missing'
  | 'router-port-differs'
  | 'route-missing'
  | 'route-stranger'
  | 'nat-missing'
  | 'nat-stranger'
  | 'gateway-unscheduled'
  | 'gateway-unheld'
  | 'gateway-failed-over'
  | 'candidate-unfit'
  | 'neighbour-wrong';

/** How the row can be made again as it was ordered. */
export type Mend =
  /** Arguments of `ovn-nbctl` (or `ovn-sbctl`). */
  | {
      readonly by: 'ovn-nbctl' | 'ovn-sbctl';
      readonly title: string;
      readonly argv: readonly [string, ...string[]];
      /** What is left to do where no command of the operator's reaches. */
      readonly remains?: string;
    }
  /** Commands of the openstack client that make Neutron write the row again. */
  | {
      readonly by: 'openstack';
      readonly title: string;
      readonly commands: readonly (readonly [string, ...string[]])[];
    }
  | {
      readonly by: 'chassis';
      readonly title: string;
      readonly host: string;
      readonly argv: readonly [string, ...string[]];
      /** A name in it is what others have: whether it is right here nobody knows. */
      readonly guessed?: boolean;
    }
  /** Nobody's one command: Neutron's whole state is written again. */
  | { readonly by: 'sync' };

/** One thing that a layer has otherwise than Neutron ordered it. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly layer: Layer;
  /** The table, for choosing the evidence: `Logical_Switch_Port`. */
  readonly table: string;
  /** Name of the thing: `NAT 198.19.0.189 of router r1`. */
  readonly object: string;
  /** One sentence that names the thing, what it is and what was ordered; no full stop. */
  readonly summary: string;
  readonly ordered: string;
  readonly found: string;
  readonly mends: readonly Mend[];
  /** A lesser severity than the code's own, where circumstances decide. */
  readonly severity?: 'error' | 'warning' | 'info';
  readonly confidence?: 'certain' | 'likely' | 'possible';
  readonly router?: string;
  readonly host?: string;
}

/** `"a" "b"` as OVSDB shows a set; `(none)` when it is empty. */
export const setWords = (items: Iterable<string>): string => [...items].join(', ') || '(none)';

export const short = (id: string): string => id.slice(0, 8);

/** A command of words that were put together. */
export const argvOf = ([first = '', ...rest]: readonly string[]): readonly [string, ...string[]] => [first, ...rest];
