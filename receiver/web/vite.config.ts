import { defineConfig } from "vite";

export default defineConfig({
  base: "./", // every address is relative: the page works behind any path prefix
  build: {
    target: "es2022",
    assetsInlineLimit: 0, // the content policy allows no data: addresses
    modulePreload: false,
  },
});
