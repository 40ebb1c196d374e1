/** Wiring of the big screen: what the page was asked for, the browser's socket and clock, the page. */
import { mount } from "svelte";

import type { Socket, World } from "../lib/live/client";
import { DeviceToken } from "../lib/session/token";
import { SCALE } from "../lib/view/setting";
import Screen from "./Screen.svelte";
import "./screen.css";
import { ScreenState } from "./state.svelte";

const NIGHTLY_RELOAD_HOUR = 4;
const HOUR_MS = 3_600_000;

const world: World = {
  openSocket: () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    return new WebSocket(`${scheme}://${location.host}/api/v1/live`) as Socket;
  },
  now_ms: () => performance.now(),
  random: Math.random,
  later: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

const token = new DeviceToken(location.hash, sessionStorage);
if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);

const screen = new ScreenState(new URLSearchParams(location.search), token, world);
document.documentElement.style.setProperty("--scale", String(SCALE[screen.density]));

window.addEventListener("online", () => screen.wake());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  screen.wake();
  void keepAwake();
});

mount(Screen, { target: document.getElementById("app") as HTMLElement, props: { screen } });
screen.start();
void keepAwake();
setTimeout(() => location.reload(), untilNight_ms(new Date()));

/** A wall screen must not go dark; where the browser refuses, its own settings have to do it. */
async function keepAwake(): Promise<void> {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    console.info("wake_lock_refused");
  }
}

/** To the next 4 a.m. of this machine, at least an hour away: one fresh start a day. */
function untilNight_ms(now: Date): number {
  const night = new Date(now);
  night.setHours(NIGHTLY_RELOAD_HOUR, 0, 0, 0);
  while (night.getTime() - now.getTime() < HOUR_MS) night.setDate(night.getDate() + 1);
  return night.getTime() - now.getTime();
}
