/** What is shown as files for a spreadsheet: answers of the API as CSV. */

import { makeAddress, nameGatewayPath } from "./api.ts";
import { h } from "./dom.ts";
import { texts } from "./locale.ts";
import type { Span } from "./spans.ts";

export class ExportsView {
  readonly element: HTMLElement;
  private readonly links = h("span", { class: "links" });
  private readonly serial: string;
  private readonly name: string;
  private drawn = "";

  /** @param name Of the system, for the names of files. */
  constructor(serial: string, name: string) {
    this.serial = serial;
    this.name = name.replace(/[^\p{L}\p{N}]+/gu, "-");
    this.element = h("div", { class: "exports soft" }, h("p", {}, texts.exports.download, this.links), h("p", {}, texts.exports.note));
  }

  /** Offer a span: its energy in windows and in quarter hours, and its panels. */
  show(span: Span): void {
    const key = `${span.kind} ${span.date} ${span.isCurrent}`;
    if (key === this.drawn) return;
    this.drawn = key;
    const files: [label: string, path: string, every: string][] = [
      [texts.exports.energy, "/energy", span.every],
      [texts.exports.quarters, "/energy", "15m"],
      [texts.exports.panels, "/inverters/energy", span.every],
    ];
    this.links.replaceChildren(...files.flatMap(([label, path, every], i) => {
      const stop: Record<string, string> = span.isCurrent ? {} : { stop: span.next };
      const address = makeAddress(nameGatewayPath(this.serial, path), { every, start: span.date, ...stop, format: "csv" });
      const link = h("a", { href: address, download: `${this.name}-${span.kind}-${span.date}-${label.replace(" ", "-")}.csv` }, label);
      return i === 0 ? [link] : [", ", link];
    }));
  }
}
