// Curves of a device, and the atoms before and after the step that is clicked.
(async () => {
  const section = document.getElementById("view");
  if (!section) return;
  const status = document.getElementById("view-status");
  try {
    const view = JSON.parse(document.getElementById("view-data").textContent);
    await loadPlotly(document.getElementById("plotly-gz").textContent.trim());
    for (const device of view.devices) await unpackFrames(device);
    section.classList.add("ready");
    start(view);
    document.documentElement.dataset.view = "ready";
  } catch (error) {
    section.classList.remove("ready");
    status.textContent = "This browser cannot show the interactive view (" + error.message +
      "). The pictures and figures on this page carry the same content.";
  }

  async function unpackFrames(device) {
    device.sites = unpacked(device.positions);
    const n = device.sites.length / 3;
    const stream = new Blob([bytes(device.frames)]).stream()
      .pipeThrough(new DecompressionStream("gzip"));
    const all = new Uint8Array(await new Response(stream).arrayBuffer());
    for (let i = n; i < all.length; i++) all[i] ^= all[i - n];
    device.kindsOf = (frame) => all.subarray(frame * n, (frame + 1) * n);
    // from back to front, seen along y
    device.order = Uint32Array.from({ length: n }, (_, site) => site)
      .sort((a, b) => device.sites[3 * b + 1] - device.sites[3 * a + 1]);
  }

  function start(view) {
    const trace = document.getElementById("device-trace");
    const loop = document.getElementById("device-loop");
    const slider = document.getElementById("view-slider");
    const label = document.getElementById("view-label");
    const panes = ["before", "after"].map((name) => document.getElementById("atoms-" + name));
    const notes = ["before", "after"].map((name) => document.getElementById("label-" + name));
    const buttons = [...document.querySelectorAll("[data-device]")];
    const scale = document.getElementById("view-scale");
    const quiet = { displaylogo: false, responsive: true, showSendToCloud: false,
      modeBarButtonsToRemove: ["lasso2d", "select2d"] };
    let device = view.devices[0], step = 0, logarithmic = false;

    const line = (x, y, name, colour, more) => ({ x, y, name, mode: "lines", type: "scatter",
      customdata: device.time, line: { color: colour, width: 1.3 }, ...more });
    const marks = (x, y, more) => ({ x, y, name: "step", mode: "markers", type: "scatter",
      customdata: device.steps.map((one) => one.time),
      marker: { color: "#D55E00", size: 9, line: { color: "#1f2933", width: 1 } }, ...more });
    const steps = (key) => device.steps.map((one) => one[key]);
    const size = (values) => logarithmic ?
      values.map((value) => value === null ? null : Math.abs(value)) : values;

    function curves() {
      const kind = logarithmic ? "log" : "linear";
      const axis = (title, more) => ({ title: { text: title }, zeroline: false,
        gridcolor: "#e4e9ee", ...more });
      Plotly.react(trace, [
        line(device.time, size(device.seen), "from the readings", "#c9a27c", { yaxis: "y2",
          mode: "markers", marker: { size: 3, color: "#c9a27c" } }),
        line(device.time, device.conductance, "true, of the gap", "#0072B2", { yaxis: "y2" }),
        marks(steps("time"), steps("conductance"), { yaxis: "y2" }),
        line(device.time, device.voltage, "at the source", "#7b8794", { showlegend: false }),
        line(device.time, device.gap_voltage, "across the gap", "#0072B2", { showlegend: false }),
      ], {
        margin: { l: 60, r: 10, t: 30, b: 42 }, hovermode: "closest",
        legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" },
        uirevision: device.name + kind,
        xaxis: axis("time (s)"),
        yaxis: axis("voltage (V)", { domain: [0, 0.3] }),
        yaxis2: axis("conductance (G<sub>0</sub>)", { domain: [0.36, 1], type: kind, range: span(kind) }),
        shapes: [cursor()],
      }, quiet);
      Plotly.react(loop, [
        line(device.voltage, size(device.current), "read", "#0072B2", {
          mode: "lines+markers", marker: { size: 3 } }),
        marks(steps("voltage"), size(steps("current"))),
        marks([device.steps[step].voltage], size([device.steps[step].current]), { name: "shown",
          customdata: [device.steps[step].time],
          marker: { symbol: "circle-open", size: 16, color: "#1f2933", line: { width: 2 } } }),
      ], {
        margin: { l: 60, r: 10, t: 30, b: 42 }, showlegend: false, hovermode: "closest",
        uirevision: device.name + kind,
        xaxis: axis("voltage at the source (V)"),
        yaxis: axis(logarithmic ? "|current| (A)" : "current (A)", { type: kind,
          exponentformat: "SI" }),
      }, quiet);
    }

    // noise of readings near zero volts must not decide the axis
    function span(kind) {
      const known = device.conductance.filter((value) => value !== null && value > 0);
      const top = Math.max(1.2, ...known) * 1.1, low = Math.min(1, ...known) / 3;
      return kind === "log" ? [Math.log10(low), Math.log10(2 * top)] : [-0.05 * top, top];
    }

    function cursor() {
      const time = device.steps[step].time;
      return { type: "line", x0: time, x1: time, y0: 0, y1: 1, yref: "paper",
        line: { color: "#D55E00", width: 1.5 } };
    }

    function draw(canvas, frame, other) {
      const kinds = device.kindsOf(frame), beside = device.kindsOf(other);
      const sites = device.sites, radius = device.radius;
      const low = [0, 1, 2].map((axis) => extreme(axis, Math.min) - radius);
      const high = [0, 1, 2].map((axis) => extreme(axis, Math.max) + radius);
      const width = canvas.clientWidth || 300;
      // both pictures and the curves below fit on a screen
      const zoom = Math.min(width / (high[0] - low[0]), 430 / (high[2] - low[2]));
      const left = low[0] - (width / zoom - (high[0] - low[0])) / 2;
      const sharp = window.devicePixelRatio || 1;
      canvas.width = width * sharp;
      canvas.height = zoom * (high[2] - low[2]) * sharp;
      const pen = canvas.getContext("2d");
      pen.scale(zoom * sharp, zoom * sharp);
      const changed = (site) => (kinds[site] !== 4) !== (beside[site] > 0 && beside[site] !== 4);
      const circle = (site) => {
        pen.beginPath();
        pen.arc(sites[3 * site] - left, high[2] - sites[3 * site + 2],
          kinds[site] === 4 ? 0.6 * radius : radius, 0, 7);
      };
      const rim = (width, colour) => {
        pen.lineWidth = width;
        pen.strokeStyle = colour;
        pen.stroke();
      };
      for (const site of device.order) {
        if (!kinds[site]) continue;
        const far = (sites[3 * site + 1] - low[1]) / (high[1] - low[1]);
        circle(site);
        pen.fillStyle = pale(view.kinds[kinds[site] - 1][0], 0.5 * far);
        pen.fill();
        if (changed(site)) rim(0.55, "#000000");
        else rim(0.12, "rgba(31,41,51,0.6)");
      }
      // those that others hide show through
      for (const site of device.order) {
        if (!kinds[site] || !changed(site)) continue;
        circle(site);
        rim(0.25, "rgba(0,0,0,0.75)");
      }
    }

    function extreme(axis, choose) {
      let found = device.sites[axis];
      for (let i = axis; i < device.sites.length; i += 3) found = choose(found, device.sites[i]);
      return found;
    }

    function pale(colour, share) {
      const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
      return "rgb(" + parts.map((part) => Math.round(part + (255 - part) * share)).join(",") + ")";
    }

    function show(index) {
      step = Math.min(Math.max(index, 0), device.steps.length - 1);
      const { frame, labels } = device.steps[step];
      slider.value = String(step);
      label.textContent = "step " + (step + 1) + " of " + device.steps.length;
      [0, 1].forEach((side) => {
        draw(panes[side], frame + side, frame + 1 - side);
        notes[side].textContent = labels[side];
      });
      section.dataset.step = String(step);
      curves();
    }

    function nearest(time) {
      let best = 0;
      device.steps.forEach((one, index) => {
        if (Math.abs(one.time - time) < Math.abs(device.steps[best].time - time)) best = index;
      });
      return best;
    }

    function choose(number) {
      device = view.devices[number];
      slider.max = String(device.steps.length - 1);
      buttons.forEach((one, place) =>
        one.setAttribute("aria-pressed", String(place === number)));
      show(0);
    }

    buttons.forEach((one, place) => one.addEventListener("click", () => choose(place)));
    slider.addEventListener("input", () => show(Number(slider.value)));
    document.getElementById("view-previous").addEventListener("click", () => show(step - 1));
    document.getElementById("view-next").addEventListener("click", () => show(step + 1));
    scale.addEventListener("click", () => {
      logarithmic = !logarithmic;
      scale.setAttribute("aria-pressed", String(logarithmic));
      curves();
    });
    window.addEventListener("resize", () => show(step));
    choose(0);
    for (const graph of [trace, loop]) {
      graph.on("plotly_click", (event) => show(nearest(event.points[0].customdata)));
    }
  }
})();
