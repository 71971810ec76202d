/** What is shown as files: answers of the API as CSV, and as Parquet where the receiver can make it. */

import { makeAddress, nameGatewayPath } from "./api.ts";
import { describeCoverage } from "./coverage.ts";
import { h, setText } from "./dom.ts";
import { texts } from "./locale.ts";
import type { EnergyTable, ReaderSession } from "./schema.ts";
import type { Span } from "./spans.ts";

type FileFormat = ReaderSession["file_formats"][number];

const NAMES: Record<FileFormat, string> = { csv: "CSV", parquet: "Parquet" };

export class ExportsView {
  readonly element: HTMLElement;
  private readonly links: { format: FileFormat; element: HTMLElement }[];
  private readonly coverage = h("p", { class: "coverage" });
  private readonly serial: string;
  private readonly name: string;
  private drawn = "";

  /**
   * @param name Of the system, for the names of files.
   * @param formats In which the receiver makes files.
   */
  constructor(serial: string, name: string, formats: readonly FileFormat[]) {
    this.serial = serial;
    this.name = name.replace(/[^\p{L}\p{N}]+/gu, "-");
    this.links = formats.map((format) => ({ format, element: h("span", { class: "links" }) }));
    this.element = h("div", { class: "exports soft" },
      ...this.links.map(({ format, element }) => h("p", {}, texts.exports.download(NAMES[format]), element)),
      this.coverage, h("p", {}, texts.exports.note));
  }

  /** Offer a span: its energy in windows and in quarter hours, and its panels. */
  show(span: Span): void {
    const key = `${span.kind} ${span.date} ${span.isCurrent}`;
    if (key === this.drawn) return;
    this.drawn = key;
    setText(this.coverage, ""); // that of another span
    for (const { format, element } of this.links) element.replaceChildren(...this.makeLinks(span, format));
  }

  /** Say how much of the span is known. */
  showCoverage(span: Span, table: EnergyTable): void {
    setText(this.coverage, describeCoverage(table, span, Date.now()));
  }

  private makeLinks(span: Span, format: FileFormat): (HTMLElement | string)[] {
    const files: [label: string, path: string, every: string][] = [
      [texts.exports.energy, "/energy", span.every],
      [texts.exports.quarters, "/energy", "15m"],
      [texts.exports.panels, "/inverters/energy", span.every],
    ];
    return files.flatMap(([label, path, every], i) => {
      const stop: Record<string, string> = span.isCurrent ? {} : { stop: span.next };
      const address = makeAddress(nameGatewayPath(this.serial, path), { every, start: span.date, ...stop, format });
      const file = `${this.name}-${span.kind}-${span.date}-${label.replace(" ", "-")}.${format}`;
      const link = h("a", { href: address, download: file, "aria-label": `${label} (${NAMES[format]})` }, label);
      return i === 0 ? [link] : [", ", link];
    });
  }
}
