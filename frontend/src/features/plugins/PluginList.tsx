import { getRouteApi } from "@tanstack/react-router";
import { Blocks, FileX2, SearchX } from "lucide-react";
import { useDeferredValue, useMemo } from "react";
import { useFigures, useIsAdmin, usePlugins, useRejected } from "@/live/hooks";
import type { LivePlugin } from "@/live/live";
import { NotYet } from "@/parts/NotYet";
import { Button } from "@/ui/Button";
import { SearchField, Select } from "@/ui/fields";
import { Notice } from "@/ui/notices";
import { Page, Section } from "@/ui/page";
import { Segments } from "@/ui/Segments";
import { VirtualRows } from "@/ui/VirtualRows";
import { words } from "@/words";
import { chosen, countOf } from "./choose";
import css from "./PluginList.module.css";
import { PluginRow } from "./PluginRow";
import { FILTERS, type Filter, type PluginsSearch, SORTS } from "./search";

const route = getRouteApi("/plugins");

export default function PluginList() {
  const plugins = usePlugins();
  const rejected = useRejected();
  const all = useMemo(() => [...(plugins?.values() ?? [])], [plugins]);
  const running = countOf(all, "running");
  return (
    <Page title={words.plugins.title} lead={plugins && words.plugins.lead(all.length, running)}>
      {plugins === undefined ? (
        <Section title={words.plugins.list}>
          <NotYet />
        </Section>
      ) : (
        <Listed plugins={all} />
      )}
      {rejected.length > 0 && <Rejected />}
    </Page>
  );
}

function Listed({ plugins }: { readonly plugins: readonly LivePlugin[] }) {
  const isAdmin = useIsAdmin();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const figures = useFigures();
  const text = useDeferredValue(search.q ?? "");
  const filter = useDeferredValue(search.show ?? "all");
  const sort = search.sort ?? "name";
  const bySize = sort === "memory" || sort === "cpu";
  // While the order doesn't depend on them, figures must not make the list anew.
  const measured = bySize ? figures : NO_FIGURES;
  const shown = useMemo(
    () => chosen(plugins, { text, filter, sort }, measured),
    [plugins, text, filter, sort, measured],
  );
  const ask = (change: Partial<Record<keyof PluginsSearch, string>>) =>
    void navigate({ search: (before) => ({ ...before, ...change }) as PluginsSearch, replace: true });

  if (plugins.length === 0) {
    return (
      <Section title={words.plugins.list}>
        <Notice icon={<Blocks aria-hidden />} title={isAdmin ? words.plugins.none : words.plugins.noneGranted}>
          {isAdmin ? words.plugins.noneHint : words.plugins.noneGrantedHint}
        </Notice>
      </Section>
    );
  }
  return (
    <>
      <div className={css["tools"]}>
        <SearchField
          label={words.plugins.search}
          placeholder={words.plugins.searchHint}
          clearLabel={words.clear}
          value={search.q ?? ""}
          onChange={(q) => ask({ q })}
        />
        <Segments
          label={words.plugins.filter}
          value={search.show ?? "all"}
          options={FILTERS.map((id) => ({ id, label: words.plugins.filters[id], count: countOf(plugins, id) }))}
          onChange={(show: Filter) => ask({ show })}
        />
        <Select
          label={words.plugins.sort}
          value={sort}
          options={SORTS.map((id) => ({ id, label: words.plugins.sorts[id] }))}
          onChange={(order) => ask({ sort: order })}
        />
      </div>
      <section className={css["sheet"]} aria-label={words.plugins.list}>
        {shown.length === 0 ? (
          <Notice
            icon={<SearchX aria-hidden />}
            title={words.plugins.noneFound}
            actions={<Button onPress={() => ask({ q: "", show: "all" })}>{words.plugins.showAll}</Button>}
          >
            {words.plugins.noneFoundHint}
          </Notice>
        ) : (
          <div role="table" aria-label={words.plugins.list} aria-rowcount={shown.length + 1}>
            <div role="row" className={css["head"]}>
              <span role="columnheader">{words.plugins.plugin}</span>
              <span role="columnheader">{words.plugins.state}</span>
              <span role="columnheader">{words.plugins.memory}</span>
              <span role="columnheader">{words.plugins.cpu}</span>
              <span role="columnheader">{words.plugins.restarts}</span>
              <span role="columnheader">{isAdmin && words.plugins.enabled}</span>
              <span role="columnheader">
                <span className={css["hidden"]}>{words.plugins.actions}</span>
              </span>
            </div>
            <VirtualRows items={shown} keyOf={idOf} pixels={57} scroller={main} role="rowgroup">
              {(plugin) => <PluginRow plugin={plugin} />}
            </VirtualRows>
          </div>
        )}
      </section>
    </>
  );
}

const idOf = (plugin: LivePlugin) => plugin.id;
const main = () => document.getElementById("main");

const NO_FIGURES: ReturnType<typeof useFigures> = new Map();

function Rejected() {
  const rejected = useRejected();
  return (
    <Section title={words.plugins.rejected} note={words.plugins.rejectedLead}>
      <ul className={css["rejected"]}>
        {rejected.map(({ file, reason }) => (
          <li key={file} className={css["rejection"]}>
            <FileX2 aria-hidden />
            <span className={css["file"]}>{file}</span>
            <span className={css["reason"]}>{reason}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
