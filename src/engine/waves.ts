/**
 * Counts what is under way, and tells when nothing is.
 *
 * Facts are plain asynchronous functions; commands for one host that become ready together should travel together.
 * A batch is sent once every API request that could still add a command to it has been answered, or after a short
 * patience, whichever comes first: so a slow API never holds up the nodes for long.
 */
export class Waves {
  #inFlight = 0;
  readonly #waiters = new Set<() => void>();

  /** Marks the start of one request; call the returned function once when it is answered. */
  enter(): () => void {
    this.#inFlight += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inFlight -= 1;
      if (this.#inFlight === 0) setImmediate(() => this.#wake());
    };
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves when nothing is in flight (after the current turn of the event loop), or after `patienceMs`. */
  idle(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiters.delete(check);
        resolve();
      };
      const check = () => {
        if (this.#inFlight === 0) done();
      };
      const timer = setTimeout(done, patienceMs);
      this.#waiters.add(check);
      setImmediate(check);
    });
  }

  #wake(): void {
    if (this.#inFlight !== 0) return;
    for (const waiter of [...this.#waiters]) waiter();
  }
}
