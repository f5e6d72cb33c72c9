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
 * The first station to which nothing came in any repetition, though something had come to all before it. Other traffic raises counters too,
 * and hides what is lost: nothing is said then. The first station is what sends.
 */
export function gapOf(stations: readonly Station[]): Gap | undefined {
  const read = stations.filter((s) => s.rises !== undefined && s.rises.length > 0);
  const at = read.findIndex((s) => !s.rises?.every((rise) => rise > 0));
  const [after, before] = [read[at - 1], read[at]];
  return after !== undefined && before?.rises?.every((rise) => rise === 0) === true ? { after, before } : undefined;
}
