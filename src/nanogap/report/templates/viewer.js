// The interactive view. Everything it shows is also in the static figures of the page.
(async () => {
  const section = document.getElementById("view");
  if (!section) return;
  const status = document.getElementById("view-status");
  try {
    const run = JSON.parse(document.getElementById("view-data").textContent);
    await loadPlotly(document.getElementById("plotly-gz").textContent.trim());
    start(run);
    section.classList.add("ready");
    document.documentElement.dataset.view = "ready";
  } catch (error) {
    status.textContent = "This browser cannot show the interactive view (" + error.message +
      "). The pictures and figures on this page carry the same content.";
  }

  // a ball of triangles: an icosahedron, each face cut in four `levels` times
  function ball(levels) {
    const g = (1 + Math.sqrt(5)) / 2;
    let points = [[-1, g, 0], [1, g, 0], [-1, -g, 0], [1, -g, 0], [0, -1, g], [0, 1, g],
      [0, -1, -g], [0, 1, -g], [g, 0, -1], [g, 0, 1], [-g, 0, -1], [-g, 0, 1]].map(unit);
    let faces = [[0, 11, 5], [0, 5, 1], [0, 1, 7], [0, 7, 10], [0, 10, 11], [1, 5, 9], [5, 11, 4],
      [11, 10, 2], [10, 7, 6], [7, 1, 8], [3, 9, 4], [3, 4, 2], [3, 2, 6], [3, 6, 8], [3, 8, 9],
      [4, 9, 5], [2, 4, 11], [6, 2, 10], [8, 6, 7], [9, 8, 1]];
    for (let level = 0; level < levels; level++) {
      const middles = new Map();
      const middle = (a, b) => {
        const key = Math.min(a, b) + "," + Math.max(a, b);
        if (!middles.has(key)) {
          middles.set(key, points.length);
          points.push(unit(points[a].map((value, axis) => value + points[b][axis])));
        }
        return middles.get(key);
      };
      faces = faces.flatMap(([a, b, c]) => {
        const ab = middle(a, b), bc = middle(b, c), ca = middle(c, a);
        return [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]];
      });
    }
    return { points, faces };
  }

  function unit(vector) {
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  }

  function start(run) {
    const n = run.atoms;
    const shape = ball(n <= 4000 ? 1 : 0);
    const m = shape.points.length;
    const positions = unpacked(run.positions);
    const colourings = run.colourings.map((c) => ({ ...c, numbers: unpacked(c.values) }));
    const faces = [0, 1, 2].map((corner) => {
      const list = new Uint32Array(n * shape.faces.length);
      let at = 0;
      for (let atom = 0; atom < n; atom++) {
        for (const face of shape.faces) list[at++] = atom * m + face[corner];
      }
      return list;
    });
    const scene = document.getElementById("view-scene");
    const trace = document.getElementById("view-trace");
    const slider = document.getElementById("view-slider");
    const label = document.getElementById("view-label");
    const play = document.getElementById("view-play");
    const buttons = [...document.querySelectorAll("[data-colouring]")];
    let frame = run.start, colouring = 0, timer = null;

    function vertices() {
      const axes = [0, 1, 2].map(() => new Float32Array(n * m));
      for (let atom = 0; atom < n; atom++) {
        for (let corner = 0; corner < m; corner++) {
          for (let axis = 0; axis < 3; axis++) {
            axes[axis][atom * m + corner] = positions[3 * (frame * n + atom) + axis] +
              run.radius * shape.points[corner][axis];
          }
        }
      }
      return axes;
    }

    function perAtom(value) {
      const list = new Array(n * m);
      for (let atom = 0; atom < n; atom++) list.fill(value(atom), atom * m, (atom + 1) * m);
      return list;
    }

    function data() {
      const [x, y, z] = vertices();
      const chosen = colourings[colouring];
      const text = perAtom((atom) => "atom " + atom + colourings.map((c) =>
        "<br>" + c.title + " " + c.numbers[frame * n + atom].toFixed(3) + " " + c.unit).join(""));
      return {
        type: "mesh3d", x, y, z, i: faces[0], j: faces[1], k: faces[2],
        intensity: perAtom((atom) => chosen.numbers[frame * n + atom]),
        cmin: -chosen.limit, cmax: chosen.limit, colorscale: chosen.scale,
        text, hoverinfo: "text", flatshading: false,
        lighting: { ambient: 0.62, diffuse: 0.55, specular: 0.12, roughness: 0.6 },
        lightposition: { x: -2000, y: -6000, z: 6000 },
        colorbar: { title: { text: chosen.title + " (" + chosen.unit + ")", side: "right" },
          thickness: 12, len: 0.7, x: 1 },
      };
    }

    // the box of all frames, so that the picture does not jump
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    positions.forEach((value, index) => {
      low[index % 3] = Math.min(low[index % 3], value - run.radius);
      high[index % 3] = Math.max(high[index % 3], value + run.radius);
    });
    const hidden = (axis) => ({ visible: false, autorange: false, range: [low[axis], high[axis]] });
    const size = low.map((value, axis) => high[axis] - value);
    const ratio = (axis) => 1.4 * size[axis] / Math.max(...size);
    const layout = {
      margin: { l: 0, r: 0, t: 0, b: 0 }, uirevision: "keep the camera",
      scene: {
        xaxis: hidden(0), yaxis: hidden(1), zaxis: hidden(2), aspectmode: "manual",
        aspectratio: { x: ratio(0), y: ratio(1), z: ratio(2) },
        camera: { eye: { x: 0, y: -1.9 - ratio(1) / 2, z: 0.12 }, up: { x: 0, y: 0, z: 1 } },
        dragmode: "turntable",
      },
    };
    // showSendToCloud: plotly would offer to upload the chart
    const quiet = { displaylogo: false, responsive: true, showSendToCloud: false };
    const config = { ...quiet, modeBarButtonsToRemove: [
      "pan3d", "orbitRotation", "tableRotation", "resetCameraLastSave3d"] };

    function drawScene() {
      Plotly.react(scene, [data()], layout, config);
    }

    function drawTrace() {
      const known = run.trace.transmission.filter((value) => value !== null);
      const top = Math.max(1.25, 1.1 * Math.max(0, ...known));
      Plotly.newPlot(trace, [
        { x: run.trace.time, y: run.trace.transmission, mode: "lines+markers", name: "T",
          line: { color: "#7b8794", width: 1 },
          marker: { color: run.trace.colour, size: run.trace.time.length > 150 ? 5 : 8, line: { color: "#1f2933", width: 1 } },
          text: run.trace.stage, hovertemplate: "%{x:.4g} ps<br>T = %{y:.4g}<br>%{text}<extra></extra>" },
      ], {
        margin: { l: 55, r: 10, t: 30, b: 45 }, showlegend: false, hovermode: "closest",
        xaxis: { title: { text: "time under voltage (ps)" }, zeroline: false, showgrid: false,
          range: span(run.trace.time) },
        yaxis: { title: { text: "T (G<sub>0</sub>)" }, range: [-0.05 * top, top], dtick: top < 11 ? 1 : undefined,
          zeroline: false, gridcolor: "#cbd2d9", griddash: "dot" },
        shapes: [here()],
      }, { ...quiet, modeBarButtonsToRemove: ["lasso2d", "select2d"] });
      trace.on("plotly_click", (event) => {
        const time = event.points[0].x;
        let best = 0;
        run.frames.forEach((item, index) => {
          if (Math.abs(item.time - time) < Math.abs(run.frames[best].time - time)) best = index;
        });
        show(best);
      });
    }

    function span(values) {
      const first = Math.min(...values), last = Math.max(...values);
      const margin = 0.03 * (last - first) || 1;
      return [first - margin, last + margin];
    }

    function here() {
      const time = run.frames[frame].time;
      return { type: "line", x0: time, x1: time, y0: 0, y1: 1, yref: "paper",
        line: { color: "#D55E00", width: 2 } };
    }

    function show(index) {
      frame = index;
      slider.value = String(index);
      label.textContent = run.frames[index].label;
      drawScene();
      Plotly.relayout(trace, { shapes: [here()] });
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶ play";
    }

    slider.disabled = play.disabled = run.frames.length < 2;
    slider.max = String(run.frames.length - 1);
    slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
    play.addEventListener("click", () => {
      if (timer) { stop(); return; }
      play.textContent = "❚❚ pause";
      timer = setInterval(() => show((frame + 1) % run.frames.length), 350);
    });
    buttons.forEach((button) => button.addEventListener("click", () => {
      colouring = Number(button.dataset.colouring);
      buttons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
      drawScene();
    }));
    section.classList.add("ready");
    drawTrace();
    show(frame);
  }
})();
