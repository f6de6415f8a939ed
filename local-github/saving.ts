/** Saves soon after something changed, never twice at once. */
export interface Saving {
  changed(): void;
  /** Saves what is not saved yet, and stops. */
  close(): Promise<void>;
}

// Long enough to gather a burst of requests, short enough that a crash loses little.
const DELAY = 200;

/** `save` is called with pauses; its failures go to `failed`. */
export function createSaving(save: () => Promise<void>, failed: (error: unknown) => void): Saving {
  let timer: NodeJS.Timeout | undefined;
  let dirty = false;
  let running: Promise<void> = Promise.resolve();

  async function run(): Promise<void> {
    if (!dirty) return;
    dirty = false;
    try {
      await save();
    } catch (error) {
      failed(error);
    }
  }

  function start(): void {
    timer = undefined;
    running = running.then(run);
  }

  return {
    changed() {
      dirty = true;
      timer ??= setTimeout(start, DELAY).unref();
    },
    async close() {
      clearTimeout(timer);
      start();
      await running;
    },
  };
}
