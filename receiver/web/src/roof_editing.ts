/** Opens the editor of the roof, which is loaded when its owner asks for it. */

import type { InverterEntry } from "./schema.ts";

/** Let the owner place panels; `saved` is called after each time that something was saved. */
export async function openRoofEditor(serial: string, panels: InverterEntry[], saved: () => void): Promise<void> {
  const { RoofEditor } = await import("./roof_editor.ts");
  await new RoofEditor(serial, panels.map((panel) => panel.inverter).sort(), saved).open();
}
