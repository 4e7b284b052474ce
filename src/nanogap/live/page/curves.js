"use strict";
// Curves of readings: current over voltage, conductance over time, and a histogram beside it.

const BIN = 0.05, FIRST_BIN = 5, BINS = 2000;  // from 0.25 to 100 G0
const known = (value) => value !== null && Number.isFinite(value);

/** Ends of an axis that hold all values, with some room, and at least those given. */
function around(values, first, low, high) {
  for (let i = first; i < values.length; i++) {
    if (!known(values[i])) continue;
    if (values[i] < low) low = values[i];
    if (values[i] > high) high = values[i];
  }
  const room = 0.05 * (high - low);
  return [low - room, high + room];
}

class Curves {
  /** `columns` are the names of the numbers of a row, `advice` is given before the first. */
  constructor(columns, advice) {
    const canvas = (name) => document.getElementById("plot-" + name);
    this.columns = columns;
    this.advice = advice;
    this.iv = new Plot(canvas("iv"), { x: "voltage at the source (V)", y: "current (µA)" });
    this.trace = new Plot(canvas("trace"), { x: "time in the laboratory (s)", y: "conductance (G₀)" });
    this.histogram = new Plot(canvas("histogram"), { x: "readings in a bin", y: "conductance (G₀)" });
    this.span = 60;
    this.forget();
    const spans = [...document.querySelectorAll("[data-span]")];
    for (const button of spans) {
      button.addEventListener("click", () => {
        this.span = Number(button.dataset.span);
        spans.forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
        this.drawConductance();
      });
      button.setAttribute("aria-pressed", String(Number(button.dataset.span) === this.span));
    }
  }

  get length() {
    return this.data.time.length;
  }

  forget() {
    this.data = Object.fromEntries(this.columns.map((name) => [name, []]));
    this.counts = new Uint32Array(BINS);
  }

  take(rows) {
    const conductance = this.columns.indexOf("conductance");
    for (const row of rows) {
      row.forEach((value, i) => this.data[this.columns[i]].push(value));
      const bin = known(row[conductance]) ? Math.floor(row[conductance] / BIN) : -1;
      if (bin >= FIRST_BIN && bin < BINS) this.counts[bin]++;
    }
  }

  draw() {
    this.drawLoop();
    this.drawConductance();
  }

  drawLoop() {
    const { data, iv } = this;
    const first = Math.max(0, data.time.length - 4000), n = data.time.length;
    const micro = data.current.slice(first).map((value) => known(value) ? 1e6 * value : null);
    const volts = data.voltage.slice(first);
    iv.begin({ x: around(volts, 0, -0.2, 0.2), y: around(micro, 0, -1, 1) });
    micro.forEach((value, i) => {
      if (!known(value) || !known(volts[i])) return;
      const age = (n - first - 1 - i) / 1500;
      const pale = Math.min(0.75, age);
      iv.dot(volts[i], value, 1.8, data.limited[first + i] ? "rgba(213,94,0," + (1 - pale) + ")" :
        "rgba(0,114,178," + (1 - pale) + ")");
    });
    const latest = micro.length - 1;
    if (latest >= 0 && known(micro[latest]) && known(volts[latest])) iv.ring(volts[latest], micro[latest]);
    else if (latest < 0) iv.words("no reading yet: " + this.advice);
    iv.end();
  }

  drawConductance() {
    const { data, counts, trace, histogram, span } = this;
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
}
