/** Where the browser starts: messages, routes, and the frame. A page's script comes when it is opened. */
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  RouterProvider,
} from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startLanguage } from "../kit/chosenLanguage.ts";
import "../kit/page.css";
import { App } from "./App.tsx";
import de from "./messages/de.json" with { type: "json" };
import en from "./messages/en.json" with { type: "json" };
import { Overview } from "./overview/Overview.tsx";
import { deviceSearch, fleetSearch, rolloutSearch, updateSearch } from "./search.ts";
import { isSignedOut, SESSION_KEY } from "./session.ts";

const root = createRootRoute({ component: App, notFoundComponent: () => <Navigate to="/" /> });
const getParentRoute = () => root;

const routeTree = root.addChildren([
  createRoute({ getParentRoute, path: "/", component: Overview }),
  createRoute({
    getParentRoute,
    path: "/updates",
    component: lazyRouteComponent(() => import("./updates/Updates.tsx"), "Updates"),
  }),
  createRoute({
    getParentRoute,
    path: "/updates/$channel/$product/$version",
    validateSearch: updateSearch,
    component: lazyRouteComponent(() => import("./updates/Update.tsx"), "Update"),
  }),
  createRoute({
    getParentRoute,
    path: "/rollouts",
    component: lazyRouteComponent(() => import("./rollouts/Rollouts.tsx"), "Rollouts"),
  }),
  createRoute({
    getParentRoute,
    path: "/rollouts/new",
    validateSearch: rolloutSearch,
    component: lazyRouteComponent(() => import("./rollouts/NewRollout.tsx"), "NewRollout"),
  }),
  createRoute({
    getParentRoute,
    path: "/rollouts/$channel/$rollout",
    component: lazyRouteComponent(() => import("./rollouts/Rollout.tsx"), "Rollout"),
  }),
  createRoute({
    getParentRoute,
    path: "/devices",
    validateSearch: fleetSearch,
    component: lazyRouteComponent(() => import("./devices/Devices.tsx"), "Devices"),
  }),
  createRoute({
    getParentRoute,
    path: "/devices/$id",
    validateSearch: deviceSearch,
    component: lazyRouteComponent(() => import("./devices/Device.tsx"), "Device"),
  }),
  createRoute({
    getParentRoute,
    path: "/holds",
    component: lazyRouteComponent(() => import("./holds/Holds.tsx"), "Holds"),
  }),
  createRoute({
    getParentRoute,
    path: "/publish",
    component: lazyRouteComponent(() => import("./publish/Publish.tsx"), "Publish"),
  }),
  createRoute({
    getParentRoute,
    path: "/keys",
    component: lazyRouteComponent(() => import("./keys/Keys.tsx"), "Keys"),
  }),
]);
const router = createRouter({ routeTree, basepath: "/admin", defaultPreload: "intent" });
declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

startLanguage({ en, de });
const queries: QueryClient = new QueryClient({
  // Whatever says that the session is over leads to the sign-in, and back when it is there again.
  queryCache: new QueryCache({
    onError: (error) => {
      if (isSignedOut(error)) queries.setQueryData(SESSION_KEY, null);
    },
  }),
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
