/** Where the browser starts: messages, routes, and the frame. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  Navigate,
  RouterProvider,
} from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startLanguage } from "../kit/language.ts";
import "../kit/page.css";
import { App } from "./App.tsx";
import { Home } from "./home/Home.tsx";
import de from "./messages/de.json" with { type: "json" };
import en from "./messages/en.json" with { type: "json" };
import { Advanced } from "./pages/Advanced.tsx";
import { History } from "./pages/History.tsx";
import { LOG_SERVICES, Logs } from "./pages/Logs.tsx";
import { Services } from "./pages/Services.tsx";
import { Troubleshoot } from "./pages/Troubleshoot.tsx";
import { Why, type WhySearch } from "./pages/Why.tsx";
import { openSession } from "./session.ts";

const root = createRootRoute({ component: App, notFoundComponent: () => <Navigate to="/" /> });
const page = <Path extends string>(path: Path, component: () => React.JSX.Element) =>
  createRoute({ getParentRoute: () => root, path, component });

const logs = createRoute({
  getParentRoute: () => root,
  path: "/logs",
  component: Logs,
  validateSearch: (search) => ({
    service: LOG_SERVICES.find((name) => name === search.service) ?? "orchestrator",
  }),
});
const why = createRoute({
  getParentRoute: () => root,
  path: "/why",
  component: Why,
  validateSearch: (search): WhySearch => ({
    product: typeof search.product === "string" ? search.product : "",
    version: typeof search.version === "string" ? search.version : "",
  }),
});
const router = createRouter({
  routeTree: root.addChildren([
    page("/", Home),
    page("/history", History),
    page("/advanced", Advanced),
    page("/services", Services),
    page("/troubleshoot", Troubleshoot),
    logs,
    why,
  ]),
});
declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

// Before the router looks at the address: the link's token is in it.
void openSession().catch(() => undefined);
startLanguage({ en, de });
// This machine's own process: an answer that fails is shown at once, not tried in silence.
const queries = new QueryClient({
  defaultOptions: {
    queries: { retry: false, refetchOnWindowFocus: false, networkMode: "always" },
    mutations: { networkMode: "always" },
  },
});
const place = document.getElementById("page");
if (place === null) throw new Error("index.html has no place for the page");
createRoot(place).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
