// How the browser tests run: one Chromium of the system, against a shop that is already up.
import { defineConfig } from "@playwright/test";

const baseURL = process.env.GOZON_URL;
if (!baseURL) {
  throw new Error(
    "GOZON_URL is not set: give the base address of a running shop, for example http://localhost:8080",
  );
}

// Chromium refuses its sandbox to root.
const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

export default defineConfig({
  testDir: ".",
  outputDir: "./test-results",
  fullyParallel: false,
  workers: 1,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  reporter: "list",
  use: {
    baseURL,
    locale: "en-GB",
    trace: "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
      args: [
        ...asRoot,
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    },
  },
});
