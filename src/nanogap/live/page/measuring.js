"use strict";
// The page of a measurement: asks for new readings and draws them. It changes nothing.
(async () => {
  const byId = (id) => document.getElementById(id);
  const POLL = 200, RETRY = 1500;
  const page = Math.random().toString(36).slice(2);
  const about = await (await fetch("api/about")).json();
  const curves = new Curves(["time", "voltage", "current", "conductance", "limited"],
    "the measurement begins");
  const shown = (value, digits, unit) => known(value) ?
    value.toFixed(digits).replace("-", "−") + " " + unit : "beyond its range";
  let end = "", drawn = -1;

  function introduce() {
    byId("name").textContent = about.name + ": " + about.protocol + " with " + about.unit + ", " +
      about.channel + ", into " + about.folder;
    document.title = about.name + ", measuring";
    byId("circuit").textContent = "In units of G₀ = 2e²/h = 77.5 µS; dashed lines are at whole " +
      "numbers. " + (about.series_resistance ? Number(about.series_resistance.toPrecision(6)) +
      " Ω of the circuit are subtracted." :
      "No series resistance is subtracted: the settings state no circuit.");
  }

  function take(found) {
    if (found.first !== curves.length) return;  // an answer that came late
    curves.take(found.rows);
    end = found.end;
    const { time, voltage, current, conductance, limited } = curves.data, last = curves.length - 1;
    byId("s-readings").textContent = curves.length + " of " + about.planned;
    if (last >= 0) {
      byId("s-time").textContent = shown(time[last], 2, "s");
      byId("s-voltage").textContent = shown(voltage[last], 4, "V");
      byId("s-current").textContent = shown(known(current[last]) ? 1e6 * current[last] : null, 3, "µA");
      byId("s-conductance").textContent = known(conductance[last]) ?
        shown(conductance[last], 3, "G₀") : "–";
      byId("s-limit").textContent = limited[last] ? "reached" : "not reached";
      byId("s-limit").classList.toggle("on", Boolean(limited[last]));
    }
    if (drawn !== curves.length) curves.draw();
    drawn = curves.length;
    document.documentElement.dataset.readings = String(curves.length);
    document.documentElement.dataset.live = "ready";
    if (end) {
      byId("notice").textContent = end;
      byId("notice").hidden = false;
    }
    return curves.length < found.readings;
  }

  async function poll() {
    let pause = POLL;
    try {
      const query = new URLSearchParams({ page, readings: curves.length });
      const answer = await fetch("api/state?" + query);
      if (!answer.ok) throw new Error((await answer.json()).error);
      if (take(await answer.json())) pause = 0;
      else if (end) return;
      else byId("notice").hidden = true;
    } catch (error) {
      byId("notice").textContent = "The program that measures does not answer: it has ended (" +
        error.message + "). What was read is in " + about.folder + ".";
      byId("notice").hidden = false;
      pause = RETRY;
    }
    setTimeout(poll, pause);
  }

  window.addEventListener("resize", () => curves.draw());
  introduce();
  poll();
})();
