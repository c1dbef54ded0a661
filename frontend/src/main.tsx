import "@/styles/tokens.css";
import "@/styles/global.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/routes/App";

const root = document.getElementById("toru");
if (root === null) throw new Error("the page has no #toru");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
