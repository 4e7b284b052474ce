"use strict";
// The live page: asks for what is new, draws it, and sends what is turned.
(async () => {
  const byId = (id) => document.getElementById(id);
  const POLL = 100, RETRY = 1500;
  const COLUMNS = ["time", "voltage", "current", "gap", "conductance", "limited"];
  const BIN = 0.05, FIRST_BIN = 5, BINS = 2000;  // from 0.25 to 100 G0
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
  const iv = new Plot(byId("plot-iv"), { x: "voltage at the source (V)", y: "current (µA)" });
  const trace = new Plot(byId("plot-trace"), { x: "time in the laboratory (s)", y: "conductance (G₀)" });
  const histogram = new Plot(byId("plot-histogram"), { x: "readings in a bin", y: "conductance (G₀)" });
  let data, counts, run = -1, scene = -1, span = 60, state = null, touched = 0, told = "";

  function forget() {
    data = Object.fromEntries(COLUMNS.map((name) => [name, []]));
    counts = new Uint32Array(BINS);
    view.extent = null;
  }

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
    put("s-gap", latest ? (latest.bridged ? "closed by metal" : "open") : "–");
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

  /** Ends of an axis that hold all values, with some room, and at least those given. */
  function around(values, first, low, high) {
    for (let i = first; i < values.length; i++) {
      if (values[i] < low) low = values[i];
      if (values[i] > high) high = values[i];
    }
    const room = 0.05 * (high - low);
    return [low - room, high + room];
  }

  function drawLoop() {
    const first = Math.max(0, data.time.length - 4000), n = data.time.length;
    const micro = data.current.slice(first).map((value) => 1e6 * value);
    const volts = data.voltage.slice(first);
    iv.begin({ x: around(volts, 0, -0.2, 0.2), y: around(micro, 0, -1, 1) });
    micro.forEach((value, i) => {
      const age = (n - first - 1 - i) / 1500;
      const pale = Math.min(0.75, age);
      iv.dot(volts[i], value, 1.8, data.limited[first + i] ? "rgba(213,94,0," + (1 - pale) + ")" :
        "rgba(0,114,178," + (1 - pale) + ")");
    });
    if (micro.length) iv.ring(volts[micro.length - 1], micro[micro.length - 1]);
    else iv.words("no reading yet: press Play, and turn the voltage");
    iv.end();
  }

  function drawConductance() {
    const times = data.time, n = times.length, now = n ? times[n - 1] : 0;
    let begin = span ? Math.max(0, now - span) : 0, first = 0;
    while (first < n && times[first] < begin) first += Math.max(1, Math.min(50, Math.floor((n - first) / 50)));
    while (first > 0 && times[first - 1] >= begin) first--;
    if (n && first < n && times[0] > begin) begin = times[0];
    const up = around(data.conductance, first, 0, 3.1);
    const end = Math.max(now, begin + (span || 1) * (span ? 0.2 : 1));
    trace.begin({ x: [begin, end], y: [Math.min(up[0], -0.02 * up[1]), up[1]] }, { whole: true });
    trace.curve(times, data.conductance, Math.max(0, first - 1), "#0072B2");
    if (!n) trace.words("no reading yet");
    trace.end();
    const top = Math.min(BINS, Math.ceil(up[1] / BIN));
    let most = 10;
    for (let bin = FIRST_BIN; bin < BINS; bin++) most = Math.max(most, counts[bin]);
    histogram.begin({ x: [0, 1.08 * most], y: trace.span.y }, { whole: true });
    histogram.pen.fillStyle = "#0072B2";
    for (let bin = FIRST_BIN; bin < top; bin++) {
      if (!counts[bin]) continue;
      const high = histogram.y((bin + 1) * BIN), low = histogram.y(bin * BIN);
      histogram.pen.fillRect(histogram.x(0), high, histogram.x(counts[bin]) - histogram.x(0),
        Math.max(1, low - high));
    }
    if (!counts.some((count, bin) => count && bin >= FIRST_BIN)) histogram.words("no contact yet");
    histogram.end();
  }

  function take(found) {
    const fresh = found.run !== run;
    if (fresh) {
      run = found.run;
      forget();
      byId("seed").value = String(found.seed);
    }
    if (!fresh && found.first !== data.time.length) return;  // an answer that came late
    state = found;
    for (const row of found.rows) {
      row.forEach((value, i) => data[COLUMNS[i]].push(value));
      const bin = Math.floor(row[4] / BIN);
      if (bin >= FIRST_BIN && bin < BINS) counts[bin]++;
    }
    if (found.scene) {
      scene = found.scene.number;
      view.show(found.scene);
    }
    showKnobs();
    showState();
    if (fresh || found.rows.length || told !== "drawn") {
      drawLoop();
      drawConductance();
      told = "drawn";
    }
    document.documentElement.dataset.readings = String(data.time.length);
    document.documentElement.dataset.live = "ready";
  }

  async function poll() {
    let pause = POLL;
    try {
      const query = new URLSearchParams({ page, run, scene, readings: data.time.length });
      const answer = await fetch("api/state?" + query);
      if (!answer.ok) throw new Error((await answer.json()).error);
      take(await answer.json());
      if (state.readings > data.time.length + 100) pause = 0;
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
  const spans = [...document.querySelectorAll("[data-span]")];
  for (const button of spans) {
    button.addEventListener("click", () => {
      span = Number(button.dataset.span);
      spans.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      drawConductance();
    });
    button.setAttribute("aria-pressed", String(Number(button.dataset.span) === span));
  }
  window.addEventListener("resize", () => { told = ""; });
  forget();
  introduce();
  poll();
})();
