// How pictures are taken: as the tests run, but for what is a test.
import { defineConfig } from "@playwright/test";
import tests from "../playwright.config";

export default defineConfig(tests, {
  testDir: ".",
  testMatch: "*.shots.ts",
  outputDir: "../test-results",
  use: { trace: "off", screenshot: "off" },
});
