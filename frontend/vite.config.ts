// Builds the page into `dist`, serves it with a proxy while developing, and runs its unit tests.
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [svelte()],
  build: {
    // The shop's content security policy allows no `data:` address, so every asset stays a file.
    assetsInlineLimit: 0,
    // The page needs no help with module preloading: customers get one script, operators one more.
    modulePreload: false,
  },
  server: {
    // Host is passed on unchanged: the shop compares it with Origin before it opens a WebSocket.
    proxy: {
      "/api": { target: "http://localhost:8080", ws: true },
      "/ops/v1": { target: "http://localhost:8080" },
    },
  },
  test: {
    include: ["src/**/*.test.ts"],
  },
});
