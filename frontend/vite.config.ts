import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import optimizeLocales from "@react-aria/optimize-locales-plugin";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const OUT = fileURLToPath(new URL("../build/www", import.meta.url));

/** Compresses once, at build time, so that the core never has to. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const entry of readdirSync(OUT, { recursive: true, encoding: "utf8" })) {
        if (/\.(js|css|svg|json|txt)$/.test(entry)) {
          const file = join(OUT, entry);
          const content = readFileSync(file);
          writeFileSync(`${file}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
          writeFileSync(`${file}.br`, brotliCompressSync(content));
        }
      }
    },
  };
}

export default defineConfig({
  // Everything is found relative to <base>, which the core sets: see toru/web/manager.py.
  base: "./",
  // The component library speaks thirty languages; the manager speaks one, so far.
  plugins: [{ ...optimizeLocales.vite({ locales: ["en-US"] }), enforce: "pre" }, react(), compressed()],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // a strict CSP, and one copy of each file
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rollupOptions: {
      output: {
        // What changes with every release of Toru is apart from what seldom does.
        manualChunks: {
          vendor: ["react", "react-dom", "react-dom/client", "@tanstack/react-query", "@tanstack/react-router"],
        },
      },
    },
  },
  test: { include: ["tests/**/*.test.ts"], setupFiles: ["tests/setup.ts"] },
  server: { proxy: { "/api": process.env["TORU_URL"] ?? "http://127.0.0.1:3000" } },
});
