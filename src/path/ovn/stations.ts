/** A place that counts packets on their way, and by how much it rose in each repetition; undefined: it could not be read. */
export interface Station {
  readonly host: string;
  /** `Geneve port ovn-14bb7f-0`, `tap608a92c3-83`. */
  readonly name: string;
  readonly rises: readonly number[] | undefined;
}

/** Where packets were last counted, and where none of them came. */
export interface Gap {
  readonly after: Station;
  readonly before: Station;
}

/**
 * The first station to which nothing came in any repetition, though something had come to the one before it in all of them. Other traffic
 * raises counters too, and hides what is lost: nothing is said then.
 */
export function gapOf(stations: readonly Station[]): Gap | undefined {
  const read = stations.filter((s) => s.rises !== undefined && s.rises.length > 0);
  for (const [at, before] of read.entries()) {
    const after = read[at - 1];
    if (after === undefined || !after.rises?.every((rise) => rise > 0)) continue;
    if (before.rises?.every((rise) => rise === 0)) return { after, before };
  }
  return undefined;
}
