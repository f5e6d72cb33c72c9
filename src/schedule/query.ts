/** What is asked of Placement for a request: constraints, each with what brought it. */
export interface PlacementQuery {
  readonly constraints: readonly Constraint[];
  /** group_policy where there is more than one granular group. */
  readonly groupPolicy?: 'none' | 'isolate';
  /** same_subtree: suffixes of groups whose providers have one of them as their common ancestor. */
  readonly sameSubtree?: readonly (readonly string[])[];
  /** Nova takes all candidates, and not the first max_placement_results: with hints about other instances, or a host of several nodes. */
  readonly unlimited?: true;
}

/** Where a constraint comes from, so that it can be taken back. */
export type Origin =
  | { readonly from: 'flavor'; readonly attribute: 'ram' | 'vcpus' | 'disk' }
  | { readonly from: 'extra-spec'; readonly key: string; readonly value: string }
  | { readonly from: 'image-property'; readonly key: string; readonly value: string }
  | { readonly from: 'zone'; readonly zone: string }
  | { readonly from: 'destination'; readonly host: string }
  | { readonly from: 'project'; readonly project: string }
  | { readonly from: 'port'; readonly port: string }
  /** Pre-filters that Nova adds by itself, e.g. COMPUTE_STATUS_DISABLED (nova/scheduler/request_filter.py). */
  | { readonly from: 'nova'; readonly preFilter: string };

/** `suffix`: '' for the unnumbered group. */
export type Constraint =
  | {
      readonly kind: 'resource';
      readonly suffix: string;
      readonly resourceClass: string;
      readonly amount: number;
      readonly origin: Origin;
    }
  | {
      readonly kind: 'trait';
      readonly suffix: string;
      readonly trait: string;
      readonly wanted: 'required' | 'forbidden';
      /** root_required: of the root provider, whoever gives the resources. */
      readonly onRoot?: true;
      readonly origin: Origin;
    }
  /** One of these aggregates, or none of them. Required with no aggregate at all: nothing can satisfy it, and Nova does not ask. */
  | {
      readonly kind: 'member-of';
      readonly suffix: string;
      readonly aggregates: readonly string[];
      readonly wanted: 'required' | 'forbidden';
      readonly origin: Origin;
    }
  | { readonly kind: 'in-tree'; readonly suffix: string; readonly provider: string; readonly origin: Origin };

/** What Placement answered: the roots of the providers that are candidates, for the whole query and with one constraint left out. */
export interface PlacementAnswers {
  readonly whole: ReadonlySet<string>;
  /** In the order of the query's constraints; undefined where it was not asked. */
  readonly without: readonly (ReadonlySet<string> | undefined)[];
}
