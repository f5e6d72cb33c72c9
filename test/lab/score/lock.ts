import { spawn } from 'node:child_process';

/** Others who break the same lab take the same lock: LAB_LOCK names its file. Without one nothing is locked. */
export class LabLock {
  readonly #file: string | undefined;
  #held: { readonly since: number; readonly release: () => void } | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
  }

  async take(): Promise<void> {
    if (this.#file === undefined || this.#held !== undefined) return;
    // Of its own group: Ctrl-C gives nobody the lock before all is healed.
    const child = spawn('flock', [this.#file, 'sh', '-c', 'echo held; cat'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    });
    await new Promise<void>((held) => child.stdout.once('data', () => held()));
    this.#held = { since: Date.now(), release: () => child.stdin.end() };
  }

  /** Lets others in, when this has been held for that many seconds. */
  leave(after = 0): void {
    if (this.#held === undefined || Date.now() - this.#held.since < after * 1000) return;
    this.#held.release();
    this.#held = undefined;
  }
}
