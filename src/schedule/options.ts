import type { SchedulerSettings } from './estate.ts';
import { since } from './release.ts';

/** Reads nova-scheduler's options as oslo.config does: what was set, else the release's default. */
export interface Options {
  text(name: string): string | undefined;
  flag(name: string, otherwise: boolean): boolean;
  number(name: string, otherwise: number): number;
  list(name: string): readonly string[];
  readonly release: string | undefined;
}

export function optionsOf(settings: SchedulerSettings): Options {
  const text = (name: string): string | undefined => settings.options.get(name)?.trim();
  return {
    text,
    release: settings.release,
    flag: (name, otherwise) => {
      const set = text(name)?.toLowerCase();
      if (set === undefined || set === '') return otherwise;
      return ['true', '1', 'yes', 'on'].includes(set);
    },
    number: (name, otherwise) => {
      const set = text(name);
      const value = set === undefined || set === '' ? Number.NaN : Number(set);
      return Number.isFinite(value) ? value : otherwise;
    },
    list: (name) =>
      (text(name) ?? '')
        .split(',')
        .map((word) => word.trim())
        .filter((word) => word !== ''),
  };
}

/** [scheduler]query_placement_for_availability_zone: an option since Rocky, the default since Xena. */
export const zonesByPlacement = (options: Options): boolean =>
  options.flag('scheduler.query_placement_for_availability_zone', since(options.release, 'xena'));

/** The zone of a host that no aggregate puts into one ([DEFAULT]default_availability_zone). */
export const defaultZone = (options: Options): string => options.text('DEFAULT.default_availability_zone') || 'nova';
