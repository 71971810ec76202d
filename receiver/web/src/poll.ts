/** Work that is done again and again while somebody looks, and at once when they look again. */

const LONGEST_S = 60;

export interface Poll {
  /** Do it now, e.g. because something is known to have changed. */
  runNow(): void;
  stop(): void;
}

/** Do `work` now and every so many seconds; after a failure sooner or later again, at most a minute apart. */
export function poll(work: () => Promise<void>, seconds: number, reportFailure: (error: unknown) => void): Poll {
  let timer = 0;
  let failures = 0;
  let running = false;
  let again = false;
  let stopped = false;

  async function run(): Promise<void> {
    window.clearTimeout(timer);
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await work();
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!stopped) reportFailure(error);
    }
    running = false;
    if (stopped || document.hidden) return;
    const wait = failures ? Math.min(LONGEST_S, 2 ** failures) : seconds;
    timer = window.setTimeout(run, again ? 0 : wait * 1000);
    again = false;
  }

  const look = (): void => {
    if (!document.hidden && !stopped) void run();
  };
  document.addEventListener("visibilitychange", look);
  void run();
  return {
    runNow: () => void run(),
    stop() {
      stopped = true;
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
    },
  };
}
