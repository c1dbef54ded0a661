import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Menu as MenuIcon } from "lucide-react";
import { lazy, Suspense, useEffect, useState } from "react";
import { UNSAFE_PortalProvider as PortalProvider } from "react-aria/PortalProvider";
import { Dialog, Modal, ModalOverlay } from "react-aria-components";
import { Mark } from "@/parts/Mark";
import { IconButton } from "@/ui/Button";
import { Skeleton } from "@/ui/notices";
import { Toasts } from "@/ui/toasts";
import { words } from "@/words";
import { ConnectionBanner } from "./Connection";
import css from "./Shell.module.css";
import { Side } from "./Side";

const Palette = lazy(() => import("./Palette"));

/** Dialogs, menus and toasts go there: on <body> itself they could not be told from what bundles of plugins put there. */
const over = () => document.getElementById("toru-over");

/** The frame around every screen. */
export function Shell() {
  return (
    <PortalProvider getContainer={over}>
      <Frame />
    </PortalProvider>
  );
}

function Frame() {
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });

  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever somebody has gone somewhere else
  useEffect(() => setMenuOpen(false), [path]);

  useEffect(() => {
    function onKey(event: KeyboardEvent): void {
      if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPaletteOpen((open) => !open);
      }
    }
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  const openPalette = () => {
    setMenuOpen(false);
    setPaletteOpen(true);
  };
  return (
    <div className={css["shell"]}>
      <button type="button" className={css["skip"]} onClick={() => document.getElementById("main")?.focus()}>
        {words.shell.skip}
      </button>
      <aside className={css["side"]}>
        <Side onSearch={openPalette} />
      </aside>
      <header className={css["bar"]}>
        <IconButton label={words.shell.open} onPress={() => setMenuOpen(true)} className={css["burger"]}>
          <MenuIcon aria-hidden />
        </IconButton>
        <Link to="/" className={css["brand"]}>
          <Mark className={css["mark"]} />
          Toru
        </Link>
      </header>
      <ModalOverlay className={css["scrim"] ?? ""} isOpen={isMenuOpen} onOpenChange={setMenuOpen} isDismissable>
        <Modal className={css["drawer"] ?? ""}>
          <Dialog className={css["drawerDialog"] ?? ""} aria-label={words.shell.main}>
            <Side onSearch={openPalette} />
          </Dialog>
        </Modal>
      </ModalOverlay>
      <main id="main" className={css["main"]} tabIndex={-1}>
        <ConnectionBanner />
        <Suspense fallback={<Skeleton lines={5} />}>
          <Outlet />
        </Suspense>
      </main>
      <Suspense fallback={null}>{isPaletteOpen && <Palette onClose={() => setPaletteOpen(false)} />}</Suspense>
      <Announcer path={path} />
      <Toasts />
    </div>
  );
}

/** Tells those who can't see it that another screen is there. */
function Announcer({ path }: { readonly path: string }) {
  const [title, setTitle] = useState("");
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever somebody has gone somewhere else
  useEffect(() => {
    const timer = setTimeout(() => setTitle(document.title), 300);
    return () => clearTimeout(timer);
  }, [path]);
  return (
    <div className={css["announcer"]} aria-live="polite">
      {title}
    </div>
  );
}
