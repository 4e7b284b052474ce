"use strict";
// The live page: asks for what is new, draws it, and sends what is turned.
(async () => {
  const byId = (id) => document.getElementById(id);
  const POLL = 100, RETRY = 1500;
  const COLUMNS = ["time", "voltage", "current", "gap", "conductance", "limited"];
  const MICRO = { current: 1e6, current_compliance: 1e6 };
  // name, words, unit as shown, slider from and to as shown, whether its scale is logarithmic
  const KNOBS = [
    ["voltage", "voltage", "V", -3, 3, false],
    ["current", "current", "µA", -300, 300, false],
    ["current_compliance", "limit of the current", "µA", 0.1, 10000, true],
    ["voltage_compliance", "limit of the voltage", "V", 0.1, 10, true],
    ["ramp", "time to a new value", "s", 0, 10, false],
    ["temperature", "temperature", "K", 200, 600, false],
    ["speed", "speed", "s/s", 0.01, 100, true],
  ];
  const page = Math.random().toString(36).slice(2);
  const about = await (await fetch("api/about")).json();
  const view = new AtomsView(byId("scene"), byId("turning"));
  const curves = new Curves(COLUMNS, "press Play, and turn the voltage");
  let run = -1, scene = -1, state = null, touched = 0, told = "";

  function introduce() {
    byId("name").textContent = about.name + ", " + about.element + ", nanogap " + about.version;
    document.title = about.name + ", live";
    byId("command").textContent = "nanogap histogram readings.csv --series-resistance " +
      Number(about.series_resistance.toPrecision(6));
    for (const sentence of about.rests_on) {
      const item = document.createElement("li");
      item.textContent = sentence;
      byId("rests-on").append(item);
    }
    for (const [kind, [colour, words]] of Object.entries(about.kinds)) {
      view.colours[kind] = colour;
      const item = document.createElement("span"), mark = document.createElement("i");
      mark.style.background = colour;
      item.append(mark, words);
      byId("kinds").append(item);
    }
    byId("turning").checked = !window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    KNOBS.forEach(makeKnob);
  }

  const shown = (name, value) => Number((value * (MICRO[name] || 1)).toPrecision(6));

  function makeKnob([name, words, unit, low, high, logarithmic]) {
    const range = about.ranges[name];
    const from = Math.max(low, shown(name, range.low)), to = Math.min(high, shown(name, range.high));
    const place = document.createElement("div"), label = document.createElement("label");
    const text = document.createElement("span"), number = document.createElement("input");
    const slider = document.createElement("input"), mark = document.createElement("span");
    place.className = "knob";
    place.id = "knob-" + name;
    text.textContent = words;
    mark.className = "unit";
    mark.textContent = unit;
    Object.assign(number, { type: "number", step: "any", id: "number-" + name });
    Object.assign(slider, { type: "range", id: "slider-" + name, min: 0, max: 1000, step: 1 });
    slider.setAttribute("aria-label", words);
    const value = (part) => logarithmic ? from * (to / from) ** part : from + (to - from) * part;
    const part = (given) => logarithmic ? Math.log(given / from) / Math.log(to / from) :
      (given - from) / (to - from);
    place.set = (given) => {
      if (document.activeElement !== number) number.value = String(given);
      slider.value = String(Math.round(1000 * Math.min(1, Math.max(0, part(given)))));
    };
    let waiting = null;
    const send = (given) => {
      touched = Date.now();
      clearTimeout(waiting);
      waiting = setTimeout(() => turn({ [name]: given / (MICRO[name] || 1) }), 60);
    };
    slider.addEventListener("input", () => {
      const given = Number(value(slider.value / 1000).toPrecision(3));
      number.value = String(given);
      send(given);
    });
    number.addEventListener("change", () => {
      if (number.value === "") return;
      place.set(Number(number.value));
      send(Number(number.value));
    });
    const box = document.createElement("span");
    box.append(number, mark);
    label.append(text, box);
    place.append(label, slider);
    byId("sliders").append(place);
  }

  async function post(path, content) {
    const answer = await fetch(path, { method: "POST", body: JSON.stringify(content),
      headers: { "Content-Type": "application/json" } });
    const found = await answer.json();
    byId("error").textContent = answer.ok ? "" : found.error;
    return answer.ok ? found : null;
  }

  async function turn(changes) {
    if (!await post("api/knobs", changes)) touched = 0;
  }

  function showKnobs() {
    const knobs = state.knobs;
    for (const button of document.querySelectorAll("[data-quantity]")) {
      button.setAttribute("aria-pressed", String(button.dataset.quantity === knobs.quantity));
    }
    const idle = knobs.quantity === "voltage" ? ["current", "voltage_compliance"] :
      ["voltage", "current_compliance"];
    for (const [name] of KNOBS) {
      byId("knob-" + name).hidden = idle.includes(name);
      if (Date.now() - touched > 800) byId("knob-" + name).set(shown(name, knobs[name]));
    }
    byId("interval").textContent = "A reading every " + Number((1000 * state.interval).toPrecision(3)) +
      " ms in the laboratory. Speed is laboratory seconds in a second. A new temperature counts " +
      "at once, for all atoms and ions. The limit is the largest " +
      (knobs.quantity === "voltage" ? "current" : "voltage") + " that the source lets be.";
  }

  const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");

  function engineering(value) {
    const size = Math.abs(value);
    if (size >= 1e-3) return fixed(value * 1e3, 3) + " mA";
    if (size >= 1e-7) return fixed(value * 1e6, 2) + " µA";
    return fixed(value * 1e9, 2) + " nA";
  }

  function conductance(value) {
    return value >= 0.01 ? fixed(value, 3) + " G₀" : (value > 0 ? Number(value.toPrecision(2)) : 0) + " G₀";
  }

  function showState() {
    const latest = state.latest, put = (id, text, on = false) => {
      byId(id).textContent = text;
      byId(id).classList.toggle("on", on);
    };
    put("s-time", fixed(state.time, 2) + " s");
    put("s-voltage", latest ? fixed(latest.voltage, 3) + " V" : "–");
    put("s-current", latest ? engineering(latest.current) : "–");
    put("s-conductance", latest ? conductance(latest.conductance) : "–");
    put("s-gap", latest ? (latest.bridged ? "closed" : "open") : "–");
    put("s-limit", latest ? (latest.compliance ? "reached" : "not reached") : "–",
      Boolean(latest && latest.compliance));
    put("s-events", latest ? latest.events.toLocaleString("en") : "0");
    const reached = state.reached, asked = state.knobs.speed;
    put("s-speed", Number(asked.toPrecision(3)) + ", " +
      (reached === null ? "–" : Number(reached.toPrecision(2))) + " s/s",
      reached !== null && reached < 0.8 * asked);
    byId("play").textContent = state.playing ? "Pause" : "Play";
    document.documentElement.dataset.playing = String(state.playing);
    let notice = state.error && "The device stopped: " + state.error + " Reset begins anew.";
    if (!notice && state.busy > 1) {
      notice = "The reading under way has taken " + fixed(state.busy, 0) + " s of computing. The " +
        "conductance of a neck of atoms that was not met before takes a second or so, once.";
    } else if (!notice && reached !== null && reached < 0.8 * asked) {
      notice = "The computation does not keep up with the speed that is asked for: " +
        Number(reached.toPrecision(2)) + " of " + Number(asked.toPrecision(3)) +
        " laboratory seconds in a second. The readings are the same, only later.";
    }
    byId("notice").textContent = notice || "";
    byId("notice").hidden = !notice;
    byId("pages").textContent = state.pages > 1 ?
      state.pages + " pages show this device: they share its knobs." : "";
    const volts = latest ? latest.gap_voltage : 0;
    view.note = ["upper electrode, " + fixed(volts, 2) + " V against the lower", "lower electrode, 0 V"];
  }

  function take(found) {
    const fresh = found.run !== run;
    if (fresh) {
      run = found.run;
      curves.forget();
      view.extent = null;
      byId("seed").value = String(found.seed);
    }
    if (!fresh && found.first !== curves.length) return;  // an answer that came late
    state = found;
    curves.take(found.rows);
    if (found.scene) {
      scene = found.scene.number;
      view.show(found.scene);
    }
    showKnobs();
    showState();
    if (fresh || found.rows.length || told !== "drawn") {
      curves.draw();
      told = "drawn";
    }
    document.documentElement.dataset.readings = String(curves.length);
    document.documentElement.dataset.live = "ready";
  }

  async function poll() {
    let pause = POLL;
    try {
      const query = new URLSearchParams({ page, run, scene, readings: curves.length });
      const answer = await fetch("api/state?" + query);
      if (!answer.ok) throw new Error((await answer.json()).error);
      take(await answer.json());
      if (state.readings > curves.length + 100) pause = 0;
    } catch (error) {
      byId("notice").textContent = "The program that serves this page does not answer: it has ended, or is busy (" +
        error.message + ").";
      byId("notice").hidden = false;
      pause = RETRY;
    }
    setTimeout(poll, pause);
  }

  byId("play").addEventListener("click", () => post("api/play", { playing: !(state && state.playing) }));
  byId("zero").addEventListener("click", () => {
    if (document.activeElement) document.activeElement.blur();
    turn({ [state.knobs.quantity]: 0 });
  });
  byId("reset").addEventListener("click", () => {
    byId("notice").textContent = "A fresh device is made, after the reading under way.";
    byId("notice").hidden = false;
    post("api/reset", { seed: Number(byId("seed").value) });
  });
  for (const button of document.querySelectorAll("[data-quantity]")) {
    button.addEventListener("click", () => turn({ quantity: button.dataset.quantity }));
  }
  window.addEventListener("resize", () => { told = ""; });
  introduce();
  poll();
})();
