import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Answer, answerOf } from './answer.ts';
import { type Question, type Variant, variants } from './expectation.ts';

/** Where the lab and the doctor are, as score.sh tells. */
export interface Place {
  readonly lab: string;
  readonly run: string;
  readonly log: string;
  readonly state: string;
  readonly name: string;
  /** Of the checkout. */
  readonly root: string;
  /** The doctor's command line on the operator's host. */
  readonly doctor: string;
  readonly ownDoctor: boolean;
}

/** Upper limits, in seconds. */
export const limits = { up: 1200, well: 150, fault: 120, hurts: 60, doctor: 120 } as const;

/** One word of a shell command line. */
export const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

export const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

export interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

export function placeFrom(env: NodeJS.ProcessEnv): Place {
  const of = (key: string): string => {
    const value = env[key];
    if (value === undefined) throw new Error(`${key} is not set: start this with score.sh`);
    return value;
  };
  const root = resolve(of('LAB_DIR'), '../..');
  const own = env.LAB_DOCTOR;
  return {
    lab: of('LAB_DIR'),
    run: of('LAB_RUN'),
    log: of('LAB_LOG'),
    state: of('LAB_STATE'),
    name: of('LAB_NAME'),
    root,
    doctor: own ?? `node ${quote(join(root, 'bin/ostk-doctor.js'))}`,
    ownDoctor: own === undefined,
  };
}

/** The lab, as the score drives it. */
export class Lab {
  readonly place: Place;
  readonly #running = new Set<ChildProcess>();

  constructor(place: Place) {
    this.place = place;
  }

  /** Runs a command to its end. Never throws: one that cannot start or takes too long has status 127 or 124. */
  run(argv: readonly [string, ...string[]], seconds: number): Promise<Ended> {
    return new Promise((done) => {
      const child = spawn(argv[0], argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
      this.#running.add(child);
      let out = '';
      let err = '';
      let late = false;
      const clock = setTimeout(() => {
        late = true;
        end(child);
      }, seconds * 1000);
      const settle = (ended: Ended): void => {
        clearTimeout(clock);
        this.#running.delete(child);
        done(ended);
      };
      child.stdout.on('data', (d) => {
        out += d;
      });
      child.stderr.on('data', (d) => {
        err += d;
      });
      child.on('error', (e) => settle({ status: 127, out, err: String(e) }));
      child.on('close', (status) => settle({ status: late ? 124 : (status ?? 128), out, err }));
    });
  }

  /** Ends what runs, before a fault is healed in a hurry. */
  stop(): void {
    for (const child of this.#running) end(child);
  }

  /** Functions of faults/lib.sh. */
  lib(commands: string, seconds: number): Promise<Ended> {
    return this.run(['bash', '-c', `cd ${quote(this.#faults)} && . ./lib.sh && ids && ${commands}`], seconds);
  }

  inject = (fault: string): Promise<Ended> => this.#fault(fault, 'inject');
  heal = (fault: string): Promise<Ended> => this.#fault(fault, 'heal');

  /** Status 0 once the symptom can (or with `want` 1: can no longer) be seen. */
  symptom(fault: string, want: 0 | 1): Promise<Ended> {
    const seen = `timeout 25 ./${quote(fault)}/fault.sh symptom`;
    return this.lib(`wait_state ${want} ${limits.hurts} ${seen}`, limits.hurts + 60);
  }

  /** Looks once, so that a fault which the cloud has mended by itself is not held against the doctor. */
  async hurts(fault: string): Promise<boolean> {
    return (await this.lib(`timeout 25 ./${quote(fault)}/fault.sh symptom`, 60)).status === 0;
  }

  /** Undefined once all is well; what is not, when it does not become so in time. */
  async well(): Promise<string | undefined> {
    const r = await this.lib(`{ wait_well ${limits.well} || { well; false; }; }`, limits.well + 60);
    return r.status === 0 ? undefined : this.neutral(lastLine(r.out + r.err)) || 'not well';
  }

  /** One command on a host, or without a host where the operator has the openstack client and the credentials. */
  type(host: string | undefined, argv: readonly string[]): Promise<Ended> {
    const words = argv.map(quote).join(' ');
    const there =
      host === undefined
        ? ['ctl', 'bash', '-c', `. /root/openrc; export OS_PROJECT_NAME=demo; ${words}`]
        : [host, 'bash', '-c', words];
    return this.run([join(this.place.lab, 'enter.sh'), ...there], limits.fault);
  }

  /** Asks the doctor on the operator's host and keeps what it printed under `keepAs`. */
  async ask(q: Question, keepAs: string): Promise<Answer> {
    const words = ['net', q.target, '--output', 'json', ...q.flags].map(quote).join(' ');
    const line = `. /root/${quote(q.openrc)}; exec timeout ${limits.doctor} ${this.place.doctor} ${words}`;
    const started = Date.now();
    const r = await this.run([join(this.place.lab, 'enter.sh'), 'op', 'bash', '-c', line], limits.doctor + 20);
    const seconds = Math.round((Date.now() - started) / 100) / 10;
    writeFileSync(join(this.place.log, 'score', `${keepAs}.json`), r.out);
    writeFileSync(join(this.place.log, 'score', `${keepAs}.stderr`), r.err);
    const answer = answerOf(r.status, r.out, r.err, seconds);
    return answer.error === undefined ? answer : { ...answer, error: this.neutral(answer.error) };
  }

  /** The variant that runs; undefined when none does. */
  variant(): Variant | undefined {
    const running = this.#read('variant')?.trim();
    return variants.find((v) => v === running);
  }

  /** Names of things of the running cloud (lib.sh, ids). */
  names(): ReadonlyMap<string, string> {
    const pairs = (this.#read('names') ?? '').matchAll(/^(\w+)=(.*)$/gm);
    const names = new Map([...pairs].map(([, key = '', value = '']) => [key, value]));
    names.set('FIP', names.get('WEB_FIP') ?? '');
    return names;
  }

  /** A message without paths of this machine. */
  neutral(text: string): string {
    return text.replaceAll(`${this.place.root}/`, '').replaceAll(this.place.state, '$LAB_STATE');
  }

  get #faults(): string {
    return join(this.place.lab, 'faults');
  }

  #fault(name: string, verb: 'inject' | 'heal'): Promise<Ended> {
    return this.run([join(this.#faults, name, 'fault.sh'), verb], limits.fault);
  }

  #read(file: string): string | undefined {
    try {
      return readFileSync(join(this.place.run, file), 'utf8');
    } catch {
      return undefined;
    }
  }
}

function end(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  } catch {
    // it has ended in the meantime
  }
}
