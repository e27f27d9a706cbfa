/** The devices: found, filtered and sorted by the server, a page at a time, however many there are. */
import { Button, Field, Input, makeStyles, Select } from "@fluentui/react-components";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import type { FleetFacets, FleetPage } from "../../../protocol/admin/fleet.ts";
import { Empty } from "../../kit/Empty.tsx";
import { useMessages } from "../../kit/language.ts";
import { Title } from "../../kit/Title.tsx";
import { Asked } from "../parts/Asked.tsx";
import { useLayout } from "../parts/layout.ts";
import { DEVICE_STATES, type FleetSearch } from "../search.ts";
import { queryText, useServer } from "../server.ts";
import { AddDevice } from "./AddDevice.tsx";
import { DeviceTable } from "./DeviceTable.tsx";

const PAGE = 50;

/** What narrows the list. */
const chosenIn = (search: FleetSearch) =>
  Object.entries(search).filter(
    ([name, value]) => value !== undefined && name !== "sort" && name !== "order",
  );

export function Devices() {
  const layout = useLayout();
  const { t } = useMessages();
  const search = useSearch({ from: "/devices" });
  const [adding, setAdding] = useState(false);
  return (
    <>
      <Title text={t("page.devices")} />
      <div className={layout.page}>
        <Filters search={search} />
        {/* Another question starts at its first page. */}
        <Found key={JSON.stringify(search)} search={search} />
        <div>
          <Button aria-expanded={adding} onClick={() => setAdding(!adding)}>
            {t("devices.add")}
          </Button>
        </div>
        {adding ? <AddDevice /> : null}
      </div>
    </>
  );
}

const ANY = "";

const useStyles = makeStyles({ search: { width: "min(430px, 80vw)" } });

function Filters({ search }: { search: FleetSearch }) {
  const styles = useStyles();
  const layout = useLayout();
  const { t, language } = useMessages();
  const navigate = useNavigate();
  const facets = useServer<FleetFacets>("fleet/facets", ["devices", "rollouts"]);
  const [typed, setTyped] = useState(search.q ?? "");
  const narrow = (more: FleetSearch) =>
    void navigate({ to: "/devices", search: { ...search, ...more } });
  const chosen = chosenIn(search);
  const versions = (facets.data?.versions ?? []).map((it) => ({ ...it, text: it.value }));
  const select = (
    name: "channel" | "tag" | "ring" | "error",
    values: readonly { value: string; devices: number }[],
  ) => {
    const current = search[name] ?? ANY;
    const known = values.some(({ value }) => value === current) || current === ANY;
    if (values.length === 0 && known) return null;
    return (
      <Field label={t(`devices.${name}`)}>
        <Select
          value={current}
          onChange={(_, { value }) => narrow({ [name]: value === ANY ? undefined : value })}
        >
          <option value={ANY}>{t("any")}</option>
          {known ? null : <option>{current}</option>}
          {values.map(({ value, devices }) => (
            <option key={value} value={value}>
              {value} ({devices.toLocaleString(language)})
            </option>
          ))}
        </Select>
      </Field>
    );
  };
  const version =
    search.product === undefined
      ? ANY
      : `${search.product}${search.version === undefined ? "" : `@${search.version}`}`;
  const products = (facets.data?.products ?? []).map((it) => ({
    ...it,
    text: t("devices.anyVersion", { product: it.value }),
  }));
  return (
    <>
      <form
        className={layout.fields}
        onSubmit={(event) => {
          event.preventDefault();
          narrow({ q: typed.trim() === "" ? undefined : typed.trim() });
        }}
      >
        <Field label={t("devices.search")}>
          <Input
            type="search"
            placeholder={t("devices.searchHint")}
            className={styles.search}
            value={typed}
            onChange={(_, { value }) => setTyped(value)}
          />
        </Field>
        <Button type="submit" appearance="primary">
          {t("devices.find")}
        </Button>
      </form>
      <div className={layout.fields}>
        <Field label={t("devices.state")}>
          <Select
            value={search.state ?? ANY}
            onChange={(_, { value }) =>
              narrow({ state: DEVICE_STATES.find((state) => state === value) })
            }
          >
            <option value={ANY}>{t("any")}</option>
            {DEVICE_STATES.map((state) => (
              <option key={state} value={state}>
                {t(`deviceState.${state}`)}
              </option>
            ))}
          </Select>
        </Field>
        <Field label={t("devices.version")}>
          <Select
            value={version}
            onChange={(_, { value }) => {
              const [product, chosenVersion] = value.split("@");
              narrow({ product: product === "" ? undefined : product, version: chosenVersion });
            }}
          >
            <option value={ANY}>{t("any")}</option>
            {[...products, ...versions].some(({ value }) => value === version) ||
            version === ANY ? null : (
              <option>{version}</option>
            )}
            {[...products, ...versions].map(({ value, text, devices }) => (
              <option key={value} value={value}>
                {text} ({devices.toLocaleString(language)})
              </option>
            ))}
          </Select>
        </Field>
        {select("channel", facets.data?.channels ?? [])}
        {select("tag", facets.data?.tags ?? [])}
        {select("ring", facets.data?.rings ?? [])}
        {select("error", facets.data?.errors ?? [])}
        {chosen.length === 0 ? null : (
          <Button
            onClick={() => {
              setTyped("");
              void navigate({ to: "/devices", search: {} });
            }}
          >
            {t("devices.all")}
          </Button>
        )}
      </div>
    </>
  );
}

function Found({ search }: { search: FleetSearch }) {
  const layout = useLayout();
  const { t } = useMessages();
  const navigate = useNavigate();
  /** Where each page so far began; the last is the one that is open. */
  const [starts, setStarts] = useState<readonly (string | undefined)[]>([undefined]);
  const { sort = "name", order = "asc" } = search;
  const fleet = useServer<FleetPage>(
    `fleet${queryText({ ...search, sort, order, after: starts.at(-1), limit: PAGE })}`,
    ["devices", "rollouts"],
    { keep: true },
  );
  const onSort = (by: string) => {
    if (by !== "name" && by !== "seen") return;
    const other = by === sort && order === "asc" ? "desc" : "asc";
    void navigate({ to: "/devices", search: { ...search, sort: by, order: other } });
  };
  return (
    <Asked query={fleet}>
      {({ devices, next, matching }) => (
        <>
          <p className={layout.quiet} role="status" data-testid="matching">
            {t(matching.exact ? "devices.matching" : "devices.matchingMore", {
              count: matching.devices,
            })}
          </p>
          {devices.length === 0 && chosenIn(search).length === 0 ? (
            <Empty title={t("devices.none")}>
              <AddDevice />
            </Empty>
          ) : null}
          {devices.length === 0 && chosenIn(search).length > 0 ? (
            <Empty title={t("devices.noMatch")}>
              <Link to="/devices" search={{}} className={layout.link}>
                {t("devices.all")}
              </Link>
            </Empty>
          ) : null}
          {devices.length === 0 ? null : (
            <DeviceTable
              devices={devices}
              sort={{ by: sort, order: order === "asc" ? "ascending" : "descending" }}
              onSort={onSort}
            />
          )}
          <div className={layout.row}>
            <Button disabled={starts.length === 1} onClick={() => setStarts(starts.slice(0, -1))}>
              {t("pages.before")}
            </Button>
            <Button
              disabled={next === undefined || fleet.isPlaceholderData}
              onClick={() => setStarts([...starts, next])}
            >
              {t("pages.next")}
            </Button>
            <span className={layout.quiet}>{t("pages.at", { page: starts.length })}</span>
          </div>
        </>
      )}
    </Asked>
  );
}
