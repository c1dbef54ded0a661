/** Which plugins the list shows, as it stands in the address. */

export const FILTERS = ["all", "attention", "running", "asleep", "off"] as const;
export type Filter = (typeof FILTERS)[number];

export const SORTS = ["name", "state", "memory", "cpu"] as const;
export type Sort = (typeof SORTS)[number];

export interface PluginsSearch {
  readonly q?: string;
  readonly show?: Filter;
  readonly sort?: Sort;
}

export function checkedPluginsSearch(search: Readonly<Record<string, unknown>>): PluginsSearch {
  const { q, show, sort } = search;
  return {
    ...(typeof q === "string" && q !== "" ? { q } : {}),
    ...(FILTERS.some((filter) => filter === show && filter !== "all") ? { show: show as Filter } : {}),
    ...(SORTS.some((order) => order === sort && order !== "name") ? { sort: sort as Sort } : {}),
  };
}
