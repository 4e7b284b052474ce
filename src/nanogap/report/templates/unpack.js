"use strict";
// How the pages unpack what they carry: numbers, and the plotting library.
function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

async function loadPlotly(packed) {
  const stream = new Blob([bytes(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.head.append(script);
  if (!window.Plotly) throw new Error("the plotting library did not load");
}

function unpacked(packed) {
  const raw = new DataView(bytes(packed.data).buffer);
  const values = new Float32Array(raw.byteLength / 2);
  for (let i = 0; i < values.length; i++) values[i] = raw.getInt16(2 * i, true) * packed.unit;
  return values;
}

