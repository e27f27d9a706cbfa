/** Routes and the frame; what is not on the first page is loaded when it is opened. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  type RouteComponent,
  RouterProvider,
} from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App.tsx";
import { Home } from "./home/Home.tsx";
import { LOG_SERVICES } from "./pages/logLines.ts";
import type { WhySearch } from "./pages/Why.tsx";

const root = createRootRoute({ component: App, notFoundComponent: () => <Navigate to="/" /> });
const page = <Path extends string>(path: Path, component: RouteComponent) =>
  createRoute({ getParentRoute: () => root, path, component });

const pages = () => import("./pages/all.ts");

const logs = createRoute({
  getParentRoute: () => root,
  path: "/logs",
  component: lazyRouteComponent(pages, "Logs"),
  validateSearch: (search) => ({
    service: LOG_SERVICES.find((name) => name === search.service) ?? "orchestrator",
  }),
});
const why = createRoute({
  getParentRoute: () => root,
  path: "/why",
  component: lazyRouteComponent(pages, "Why"),
  validateSearch: (search): WhySearch => ({
    product: typeof search.product === "string" ? search.product : "",
    version: typeof search.version === "string" ? search.version : "",
  }),
});
const router = createRouter({
  defaultPreload: "intent",
  routeTree: root.addChildren([
    page("/", Home),
    page("/history", lazyRouteComponent(pages, "History")),
    page("/advanced", lazyRouteComponent(pages, "Advanced")),
    page("/services", lazyRouteComponent(pages, "Services")),
    page("/troubleshoot", lazyRouteComponent(pages, "Troubleshoot")),
    logs,
    why,
  ]),
});
declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

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
