import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { usePlugin } from "@/live/hooks";
import { LogBook } from "./LogBook";
import css from "./Logs.module.css";
import { LogTools } from "./LogTools";
import { LogView } from "./LogView";
import { filterOf, type LogSearch } from "./search";

const route = getRouteApi("/plugins/$id/logs");

const WRAP = "toru.logs.wrap";

export default function Logs() {
  const { id } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const plugin = usePlugin(id);
  const [wraps, setWraps] = useState(() => localStorage.getItem(WRAP) !== "no");
  const filter = useMemo(() => filterOf(search, new Date()), [search]);
  const book = useMemo(() => new LogBook(id, filter), [id, filter]);
  useEffect(() => {
    void book.open();
    return () => book.close();
  }, [book]);

  const onSearch = useCallback((change: LogSearch) => void navigate({ search: change, replace: true }), [navigate]);
  function wrap(wanted: boolean): void {
    localStorage.setItem(WRAP, wanted ? "yes" : "no");
    setWraps(wanted);
  }

  return (
    <div className={css["logs"]}>
      <LogTools
        pluginId={id}
        currentRun={plugin?.invocation_id ?? null}
        search={search}
        filter={filter}
        book={book}
        wraps={wraps}
        onWrap={wrap}
        onSearch={onSearch}
      />
      <LogView
        key={JSON.stringify(filter)}
        book={book}
        wanted={search.q ?? ""}
        isFiltered={Object.keys(filter).length > 0}
        wraps={wraps}
      />
    </div>
  );
}
