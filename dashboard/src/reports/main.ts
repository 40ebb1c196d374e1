/** Wiring of the page Reports: what the address asks for, the browser's clock and history, the page. */
import { mount } from "svelte";

import { DeviceToken } from "../lib/session/token";
import ReportsPage from "./ReportsPage.svelte";
import "./reports.css";
import { ReportsState } from "./state.svelte";

const token = new DeviceToken(location.hash, sessionStorage);
if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);

const reports = new ReportsState(
  new URLSearchParams(location.search),
  token,
  () => Date.now(),
  (query) => history.replaceState(null, "", `${location.pathname}?${query}`),
);

mount(ReportsPage, { target: document.getElementById("app") as HTMLElement, props: { reports } });
void reports.enter();
