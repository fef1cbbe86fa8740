// For unit tests: the page speaks a language, without a browser.
import { vi } from "vitest";
import { language, type Language } from "./language.svelte";

export function speak(spoken: Language): void {
  vi.stubGlobal("document", { documentElement: {} });
  language.choose(spoken);
  vi.unstubAllGlobals();
}
