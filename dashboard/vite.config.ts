/**
 * The build of all pages: one entry per page (a new page is one more HTML file and one more line
 * here), hashed files under assets/, written into the api's package, which serves them.
 */
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const pages = { screen: "index.html", reports: "reports.html" };

export default defineConfig({
  base: "/",
  plugins: [svelte()],
  resolve: { alias: { $lib: new URL("./src/lib", import.meta.url).pathname } },
  build: {
    outDir: "../api/waystock_api/static",
    emptyOutDir: true,
    target: "es2022",
    // The licences of everything in the bundle travel with it.
    license: { fileName: "licenses.md" },
    // MapLibre alone is about 1 MB; it is one cached file, loaded once per screen.
    chunkSizeWarningLimit: 1500,
    rolldownOptions: { input: pages },
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8000", ws: true } } },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
