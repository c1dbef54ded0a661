import { Outlet } from "@tanstack/react-router";
import { useIsAdmin } from "@/live/hooks";
import { Page } from "@/ui/page";
import { Tabs } from "@/ui/Tabs";
import { words } from "@/words";

export default function Accounts() {
  const isAdmin = useIsAdmin();
  return (
    <Page title={words.account.title}>
      {isAdmin && (
        <Tabs
          label={words.account.tabsLabel}
          tabs={[
            { label: words.account.you, link: { to: "/accounts" }, isIndex: true },
            { label: words.account.users, link: { to: "/accounts/users" } },
          ]}
        />
      )}
      <Outlet />
    </Page>
  );
}
