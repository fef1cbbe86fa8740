// What the page weighs: a customer on a slow network pays for every byte, and not for the operators' console.
import { build, type Rolldown } from "vite";
import { expect, test, vi } from "vitest";

const MOST_BYTES = 60_000;

type Chunk = Rolldown.OutputChunk;

async function chunks(): Promise<ReadonlyMap<string, Chunk>> {
  // As it is delivered, and not as it is tested.
  vi.stubEnv("NODE_ENV", "production");
  const built = (await build({
    mode: "production",
    logLevel: "silent",
    build: { write: false },
  })) as Rolldown.RolldownOutput;
  const all = built.output.filter((file) => file.type === "chunk");
  return new Map(all.map((chunk) => [chunk.fileName, chunk]));
}

async function zippedBytes({ code }: Chunk): Promise<number> {
  const zipping = new CompressionStream("gzip");
  const zipped = new Blob([code]).stream().pipeThrough(zipping);
  return (await new Response(zipped).arrayBuffer()).byteLength;
}

/** A chunk with all it cannot run without. */
function withImports(
  all: ReadonlyMap<string, Chunk>,
  chunk: Chunk,
  found = new Set<Chunk>(),
): Set<Chunk> {
  if (found.has(chunk)) return found;
  found.add(chunk);
  for (const name of chunk.imports) {
    const imported = all.get(name);
    if (imported) withImports(all, imported, found);
  }
  return found;
}

function isOfOperators({ moduleIds }: Chunk): boolean {
  return moduleIds.some((id) => id.includes("/src/ops/"));
}

test("the customer's part is light, and the console is no part of it", async () => {
  const all = await chunks();
  const entry = [...all.values()].find((chunk) => chunk.isEntry);
  if (!entry) throw new Error("the page has no entry");
  const lazy = entry.dynamicImports
    .flatMap((name) => all.get(name) ?? [])
    .filter((chunk) => !isOfOperators(chunk));
  const customers = [
    ...new Set([entry, ...lazy].flatMap((it) => [...withImports(all, it)])),
  ];
  const weights = await Promise.all(customers.map(zippedBytes));
  const bytes = weights.reduce((sum, weight) => sum + weight, 0);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
  const modules = customers.flatMap((chunk) => chunk.moduleIds);
  expect(modules.some((id) => id.includes("/src/shop/"))).toBe(true);
  expect(modules.filter((id) => id.includes("/src/ops/"))).toEqual([]);
  expect(entry.dynamicImports).not.toEqual([]);
}, 60_000);
