/** The live stream of one gateway, held open while somebody looks. */

import { makeAddress, nameGatewayPath } from "./api.ts";
import type { EndedView, LiveReading, SolarData } from "./schema.ts";

export type Sums = SolarData;

export interface LiveListener {
  receiveSums(sums: Sums): void;
  receiveReading(reading: LiveReading): void;
  /** Whether events come; false while the connection is lost. */
  noteConnection(yes: boolean): void;
  /** The receiver refuses: the session may be over. */
  noteRefusal(): void;
}

const FIRST_WAIT_S = 2;
const LONGEST_WAIT_S = 30;
/** A connection that says nothing for so long is dead, whatever the browser thinks: a phone slept, a network changed. */
const QUIET_MS = 45_000;
const LOOK_MS = 5_000;
/** Why the receiver ends a view for good; after any other reason coming back is right. */
const REFUSALS = new Set(["unauthorised", "forbidden", "not-found"]);

/** Open the stream and keep it open; gives what closes it. */
export function listen(serial: string, listener: LiveListener): () => void {
  let source: EventSource | null = null;
  let timer = 0;
  let waits = FIRST_WAIT_S;
  let heard = 0;

  function open(): void {
    close();
    heard = performance.now();
    source = new EventSource(makeAddress(nameGatewayPath(serial, "/live")));
    source.addEventListener("open", () => {
      note();
      waits = FIRST_WAIT_S;
    });
    source.addEventListener("solar_data", (event) => {
      note();
      listener.receiveSums(JSON.parse(event.data) as Sums);
    });
    source.addEventListener("reading", (event) => {
      note();
      listener.receiveReading(JSON.parse(event.data) as LiveReading);
    });
    source.addEventListener("ended", (event) => {
      if (!REFUSALS.has((JSON.parse(event.data) as EndedView).reason)) return; // the browser comes back
      close();
      listener.noteRefusal();
    });
    source.addEventListener("error", () => {
      listener.noteConnection(false);
      if (source?.readyState !== EventSource.CLOSED) return; // the browser itself tries again
      openLater();
      listener.noteRefusal();
    });
  }

  function note(): void {
    heard = performance.now();
    listener.noteConnection(true);
  }

  function openLater(): void {
    close();
    timer = window.setTimeout(open, waits * 1000);
    waits = Math.min(LONGEST_WAIT_S, waits * 2);
  }

  function close(): void {
    window.clearTimeout(timer);
    source?.close();
    source = null;
  }

  function look(): void {
    if (document.hidden) close();
    else if (source === null) open();
  }

  const watchdog = window.setInterval(() => {
    if (source !== null && performance.now() - heard > QUIET_MS) open();
  }, LOOK_MS);
  document.addEventListener("visibilitychange", look);
  look();
  return () => {
    window.clearInterval(watchdog);
    document.removeEventListener("visibilitychange", look);
    close();
  };
}
